//! Who is here, and what waits for whom.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::Shutdown;
use std::rc::Rc;

use async_channel::{Receiver, Sender, TrySendError};
use interloop::Task;
use interloop::net::TcpStream;

/// How many lines may wait for one client. One that falls behind further does not read.
const QUEUE: usize = 256;

pub struct Room {
    log: Box<dyn Fn(&str)>,
    members: RefCell<BTreeMap<String, Member>>,
    next_number: Cell<u64>,
}

struct Member {
    /// A name may be taken again as soon as it is free; the number tells the two apart.
    number: u64,
    queue: Sender<Rc<str>>,
    stream: TcpStream,
    writer: Task<()>,
}

/// What a client is named, and that it is here until this is dropped.
pub struct Seat {
    room: Rc<Room>,
    pub name: String,
    number: u64,
}

/// Says what is wrong with a name.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_');
    if (1..=32).contains(&name.chars().count()) && name.chars().all(fits) {
        return Ok(());
    }
    Err("a name has 1 to 32 letters, digits, '-' or '_'".to_owned())
}

impl Room {
    /// An empty room. What is said, and who comes and goes, is told to `log`.
    pub fn new(log: impl Fn(&str) + 'static) -> Room {
        Room { log: Box::new(log), members: RefCell::default(), next_number: Cell::new(0) }
    }

    /// Tells those who watch the room.
    pub fn log(&self, line: &str) {
        (self.log)(line);
    }

    /// Lets a client in. `write` begins the task that writes what comes out of the queue.
    pub fn enter(
        self: &Rc<Room>,
        name: String,
        stream: TcpStream,
        write: impl FnOnce(Receiver<Rc<str>>) -> Task<()>,
    ) -> Result<Seat, String> {
        check_name(&name)?;
        if self.members.borrow().contains_key(&name) {
            return Err(format!("the name {name} is taken: choose another one"));
        }
        let (queue, waiting) = async_channel::bounded(QUEUE);
        let number = self.next_number.replace(self.next_number.get() + 1);
        let others: Vec<String> = self.members.borrow().keys().cloned().collect();
        let others = if others.is_empty() { "nobody else".to_owned() } else { others.join(", ") };
        let member = Member { number, queue, stream, writer: write(waiting) };
        self.members.borrow_mut().insert(name.clone(), member);
        self.tell(&name, format!("* welcome, {name}; here are: {others}"));
        self.say(&name, format!("* {name} has joined"));
        Ok(Seat { room: Rc::clone(self), name, number })
    }

    /// Puts a line into the queues of all but `from`. Those whose queue is full are dropped.
    pub fn say(&self, from: &str, line: String) {
        self.log(&line);
        let line: Rc<str> = line.into();
        let mut slow = Vec::new();
        for (name, member) in self.members.borrow().iter().filter(|(name, _)| *name != from) {
            if let Err(TrySendError::Full(_)) = member.queue.try_send(Rc::clone(&line)) {
                slow.push(name.clone());
            }
        }
        for name in slow {
            self.drop_slow(&name);
        }
    }

    /// Puts a line into the queue of one.
    fn tell(&self, name: &str, line: String) {
        if let Some(member) = self.members.borrow().get(name) {
            // A queue that is full will be noticed by the next line for all.
            let _full = member.queue.try_send(line.into());
        }
    }

    fn drop_slow(&self, name: &str) {
        let Some(member) = self.members.borrow_mut().remove(name) else { return };
        // What waits for it is lost with the task that would have written it, and its reader hears
        // the end.
        drop(member.writer);
        let _gone = member.stream.shutdown(Shutdown::Both);
        self.say(name, format!("* {name} was dropped: it does not read what it is sent"));
    }

    /// Says goodbye to all. Their writers end when they have written it.
    pub fn close(&self) {
        let members = self.members.take();
        for (name, member) in members {
            let _full = member.queue.try_send(format!("* goodbye, {name}: the server ends").into());
            member.writer.detach();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let is_mine = |member: &Member| member.number == self.number;
        if !self.room.members.borrow().get(&self.name).is_some_and(is_mine) {
            return;
        }
        if let Some(member) = self.room.members.borrow_mut().remove(&self.name) {
            // Writes what is left in the queue, and then ends, for nobody adds to it.
            member.writer.detach();
        }
        self.room.say(&self.name, format!("* {} has left", self.name));
    }
}
