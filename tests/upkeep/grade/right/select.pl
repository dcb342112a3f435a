#!/usr/bin/perl
# A right server, for the tests of the grader: Perl, select(2).
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

$SIG{TERM} = sub { exit 0 };
$SIG{PIPE} = 'IGNORE';
$| = 1;
my %options = @ARGV;
my $listener = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1',
    LocalPort => $options{'--port'},
    Listen    => 64,
    ReuseAddr => 1,
) or die "$@\n";
print 'listening on 127.0.0.1:', $listener->sockport, "\n";
my $select = IO::Select->new($listener);
my %answered;
while (1) {
    for my $socket ($select->can_read) {
        if ($socket == $listener) {
            my $client = $listener->accept;
            if ($client) { $select->add($client) }
            else         { select undef, undef, undef, 0.01 }
        } elsif (sysread $socket, my $buffer, 65536) {
            next if $answered{$socket}++;
            syswrite $socket, "ack\n";
            shutdown $socket, 1;
        } else {
            delete $answered{$socket};
            $select->remove($socket);
            close $socket;
        }
    }
}
