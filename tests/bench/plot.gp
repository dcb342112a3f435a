# The plot of make bench:  gnuplot -e "out='FOLDER'; servers='epoll uv ...'" plot.gp
# Reads FOLDER/SERVER.dat: clients, connections per second, CPU per connection.
set terminal svg size 900,420 font 'sans,12' background 'white'
set output out.'/bench.svg'
set multiplot layout 1,2
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 border -1
set boxwidth 0.9
set yrange [0:*]
set grid ytics
set xlabel 'clients at once'
set key outside bottom center horizontal
file(s) = out.'/'.s.'.dat'
set title 'server CPU per connection (us)'
plot for [s in servers] file(s) using 3:xtic(1) title s
set title 'connections per second'
plot for [s in servers] file(s) using 2:xtic(1) title s
