//! What stands between the window and the network.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use interloop::Handle;
use interloop_demos::chat::{Client, Event, Server, check_name};
use interloop_qt_widgets::chat_window::{Action, ChatWindow, Connection, Kind};

use crate::options::Options;

/// How long the goodbye to the server of others may take.
const GOODBYE_LIMIT: Duration = Duration::from_secs(3);

/// The window, and whom it talks to.
pub struct Conversation {
    handle: Handle,
    window: ChatWindow,
    client: RefCell<Option<Client>>,
    server: RefCell<Option<Server>>,
    name: RefCell<String>,
    members: RefCell<BTreeSet<String>>,
    /// Whether what is shown is printed too.
    prints: Cell<bool>,
    /// Whether the end of the connection is what we asked for.
    is_leaving: Cell<bool>,
    /// Tells who waits for the end of the connection.
    left: (async_channel::Sender<()>, async_channel::Receiver<()>),
}

impl Conversation {
    pub fn new(handle: &Handle, window: ChatWindow) -> Conversation {
        Conversation {
            handle: handle.clone(),
            window,
            client: RefCell::default(),
            server: RefCell::default(),
            name: RefCell::default(),
            members: RefCell::default(),
            prints: Cell::new(false),
            is_leaving: Cell::new(false),
            left: async_channel::bounded(1),
        }
    }

    /// Does what the command line asks for.
    pub fn begin(self: &Rc<Conversation>, options: &Options) {
        self.prints.set(options.print);
        self.window.set_name(&options.name);
        self.window.set_address(&options.server);
        let mut address = options.server.clone();
        if options.serve {
            address = self.serve(&address).unwrap_or(address);
        }
        if options.join {
            self.join(&options.name, &address);
        }
    }

    /// What the user has done.
    pub fn act(self: &Rc<Conversation>, action: Action) {
        match action {
            Action::Join { name, address } => self.join(&name, &address),
            Action::Leave => self.leave(),
            Action::Serve(address) => drop(self.serve(&address)),
            Action::StopServing => self.stop_serving(),
            Action::Say(text) => self.say(&text),
        }
    }

    fn join(self: &Rc<Conversation>, name: &str, address: &str) {
        if let Err(why) = check_name(name) {
            return self.window.set_status(&why);
        }
        self.window.set_connection(Connection::Joining);
        self.window.set_status(&format!("joining {address}"));
        self.name.replace(name.to_owned());
        self.is_leaving.set(false);
        // The conversation owns the client, which owns this.
        let conversation = Rc::downgrade(self);
        let client = Client::join(&self.handle, address, name, move |event| {
            if let Some(conversation) = conversation.upgrade() {
                conversation.hear(event);
            }
        });
        self.client.replace(Some(client));
    }

    fn leave(&self) {
        let was_joined = !self.members.borrow().is_empty();
        match self.client.borrow().as_ref() {
            // The end comes when the server has heard all that was said.
            Some(client) if was_joined => {
                self.is_leaving.set(true);
                return client.leave();
            }
            _ => {}
        }
        self.end("");
    }

    fn say(&self, text: &str) {
        if let Some(client) = self.client.borrow().as_ref() {
            client.say(text);
            self.show(Kind::ByOurselves, &self.name.borrow(), text);
        }
    }

    fn hear(&self, event: Event) {
        let notice = |text: &str| self.show(Kind::Notice, "", text);
        match event {
            Event::Welcome { others } => {
                self.members.replace(others.into_iter().collect());
                self.change_members(|members| members.insert(self.name.borrow().clone()));
                self.window.set_connection(Connection::Joined);
                self.window.set_title(&format!("chat: {}", self.name.borrow()));
                self.window.set_status("");
                notice("you are in");
            }
            Event::Said { from, text } => self.show(Kind::ByOthers, &from, &text),
            Event::Joined(name) => {
                notice(&format!("{name} has come"));
                self.change_members(|members| members.insert(name));
            }
            Event::Left(name, why) => {
                notice(format!("{name} has gone {why}").trim_end());
                self.change_members(|members| members.remove(&name));
            }
            Event::Notice(text) => notice(&text),
            Event::End(Ok(())) if self.is_leaving.get() => self.end("you have left"),
            Event::End(Ok(())) => self.end("the server has ended"),
            Event::End(Err(why)) => {
                self.show(Kind::Trouble, "", &why);
                self.end(&why);
            }
        }
    }

    fn end(&self, why: &str) {
        // In its own callback, which is called no more.
        self.client.take();
        self.change_members(BTreeSet::clear);
        self.window.set_connection(Connection::Apart);
        self.window.set_title("chat");
        self.window.set_status(why);
        // Nobody may be waiting.
        let _told = self.left.0.try_send(());
    }

    fn show(&self, kind: Kind, who: &str, what: &str) {
        self.window.add_line(kind, who, what);
        if self.prints.get() {
            print(if who.is_empty() { what.to_owned() } else { format!("{who}: {what}") });
        }
    }

    fn change_members<T>(&self, change: impl FnOnce(&mut BTreeSet<String>) -> T) {
        change(&mut self.members.borrow_mut());
        self.window.set_members(self.members.borrow().iter().map(String::as_str));
    }

    /// Starts a server, and answers where it listens.
    fn serve(&self, address: &str) -> Option<String> {
        let server = match Server::start(&self.handle, address, |_| ()) {
            Ok(server) => server,
            Err(error) => {
                // In the chat as well: whoever joins next overwrites the status.
                let why = format!("no server: {error}");
                self.show(Kind::Trouble, "", &why);
                self.window.set_status(&why);
                return None;
            }
        };
        let address = server.address().to_string();
        print(format!("listening on {address}"));
        self.window.set_address(&address);
        self.window.set_serving(true);
        self.window.set_status(&format!("a server listens on {address}"));
        self.server.replace(Some(server));
        Some(address)
    }

    fn stop_serving(&self) {
        if let Some(server) = self.server.take() {
            self.window.set_serving(false);
            self.window.set_status("the server has ended");
            self.handle.spawn_local(server.end()).label("end of the server").detach();
        }
    }

    /// Leaves the chat, with all delivered that was said, and ends the server.
    pub async fn part(self: Rc<Conversation>) {
        while self.left.1.try_recv().is_ok() {}
        self.leave();
        if self.client.borrow().is_some() {
            let _late = self.handle.timeout(GOODBYE_LIMIT, self.left.1.recv()).await;
        }
        let server = self.server.take();
        if let Some(server) = server {
            server.end().await;
        }
    }
}

fn print(line: String) {
    // Nobody may be reading.
    let _closed = writeln!(io::stdout(), "{line}");
}
