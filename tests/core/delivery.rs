//! What a source hears, and what it does not.

use std::cell::Cell;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use interloop::{Action, Interest};

use crate::cases;
use crate::world::World;

cases!(an_echo_goes_round_through_callbacks);

fn pair() -> (UnixStream, UnixStream) {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    (a, b)
}

/// The thinnest whole: a thousand bytes there and back, one wake at most for each way.
fn an_echo_goes_round_through_callbacks(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (client, server) = pair();
    let echo = reactor.register(server, Interest::READABLE, |mut io, _| {
        let mut byte = [0];
        io.read_exact(&mut byte).unwrap();
        io.write_all(&byte).unwrap();
        Action::Rearm
    });
    let rounds = Rc::new(Cell::new(0_u32));
    let (count, done) = (Rc::clone(&rounds), host.clone());
    let client = reactor.register(client, Interest::READABLE, move |mut io, _| {
        let mut byte = [0];
        io.read_exact(&mut byte).unwrap();
        count.set(count.get() + 1);
        if count.get() == 1000 {
            done.done();
            return Action::Remove;
        }
        io.write_all(&byte).unwrap();
        Action::Rearm
    });
    let client = client.unwrap();
    client.get_ref().write_all(&[7]).unwrap();
    host.run();
    assert_eq!(rounds.get(), 1000);
    drop(echo);
}
