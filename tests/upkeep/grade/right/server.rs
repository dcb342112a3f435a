// A right server, for the tests of the grader: Rust, a thread for each client.
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::{env, thread, time};

extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn _exit(status: i32) -> !;
}

extern "C" fn on_sigterm(_: i32) {
    unsafe { _exit(0) }
}

fn serve(mut client: TcpStream) -> std::io::Result<()> {
    let mut buffer = [0; 8192];
    if client.read(&mut buffer)? > 0 {
        client.write_all(b"ack\n")?;
    }
    client.shutdown(Shutdown::Write)?;
    while client.read(&mut buffer)? > 0 {}
    Ok(())
}

fn main() {
    unsafe { signal(15, on_sigterm) };
    let port: u16 = env::args().nth(2).unwrap().parse().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    for client in listener.incoming() {
        match client {
            Ok(client) => { thread::spawn(|| serve(client)); }
            Err(_) => thread::sleep(time::Duration::from_millis(10)),
        }
    }
}
