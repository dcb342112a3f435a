#!/usr/bin/perl
# A wrong server, for the tests of the grader: its ready line stays in a buffer.
use strict;
use warnings;
use IO::Socket::INET;

my %options = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $options{'--port'}, Listen => 64);
print 'listening on 127.0.0.1:', $listener->sockport, "\n";
while (my $client = $listener->accept) {
    print $client "ack\n" if sysread $client, my $buffer, 65536;
    close $client;
}
