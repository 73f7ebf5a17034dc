//! Downloads from a server that stops halfway.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop_demos::download::{Download, End, Event};
use interloop_demos::testing::{HALF, document, serve_documents};
use interloop_demos::web::Client;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A place for a file, which is removed at the end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("interloop-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Place(folder)
    }

    fn output(&self) -> PathBuf {
        self.0.join("file")
    }

    /// What is there beside the file.
    fn rest(&self) -> usize {
        let there = fs::read_dir(&self.0).unwrap().count();
        there - usize::from(self.output().exists())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The next run has another name.
        let _kept = fs::remove_dir_all(&self.0);
    }
}

/// Downloads, and calls `on_event` with what is told before the end.
fn download(
    address: &str,
    place: &Place,
    mut on_event: impl FnMut(&Download, &Event) + 'static,
) -> End {
    let reactor = Reactor::new().unwrap();
    let download: Rc<RefCell<Option<Download>>> = Rc::default();
    let (ended, end) = async_channel::bounded(1);
    let running = Rc::clone(&download);
    let client = Client::new(&reactor);
    let started = Download::start(&client, address, &place.output(), move |event| match event {
        Event::End(end) => ended.try_send(end).expect("it ends once"),
        event => on_event(running.borrow().as_ref().expect("it has started"), &event),
    });
    download.replace(Some(started));
    let end = async { end.recv().await.expect("it ends") };
    reactor.block_on(reactor.timeout(LIMIT, end)).unwrap().expect("it takes too long")
}

fn is_complete(place: &Place) -> bool {
    fs::read(place.output()).unwrap() == document() && place.rest() == 0
}

#[test]
fn a_file_is_complete_when_the_end_says_so() {
    let (server, place) = (serve_documents(), Place::new("complete"));
    let begun = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&begun);
    let end = download(&format!("{server}/all"), &place, move |_, event| {
        if let Event::Begun { before, total } = event {
            seen.borrow_mut().push((*before, *total));
        }
    });
    assert_eq!(end, End::Complete(1_000_000));
    assert_eq!(*begun.borrow(), [(0, Some(1_000_000))]);
    assert!(is_complete(&place));
}

#[test]
fn what_was_stopped_goes_on_where_it_was() {
    let (server, place) = (serve_documents(), Place::new("stopped"));
    let address = format!("{server}/halfway");
    let end = download(&address, &place, |download, event| {
        if *event == Event::Come(HALF as u64) {
            download.stop();
        }
    });
    assert_eq!(end, End::Stopped);
    let before = Rc::new(RefCell::new(0));
    let seen = Rc::clone(&before);
    let end = download(&address, &place, move |_, event| {
        if let Event::Begun { before, .. } = event {
            seen.replace(*before);
        }
    });
    assert_eq!(end, End::Complete(1_000_000));
    assert_eq!(*before.borrow(), HALF as u64, "what had come was not all written");
    assert!(is_complete(&place));
}

#[test]
fn what_was_cut_off_says_so_and_goes_on() {
    let (server, place) = (serve_documents(), Place::new("cut"));
    let address = format!("{server}/cut");
    match download(&address, &place, |_, _| ()) {
        End::Failed(why) => assert!(why.contains("cut off after 500000 of 1000000"), "{why}"),
        end => panic!("{end:?}"),
    }
    assert_eq!(download(&address, &place, |_, _| ()), End::Complete(1_000_000));
    assert!(is_complete(&place));
}

#[test]
fn what_is_not_answered_can_be_stopped() {
    let (server, place) = (serve_documents(), Place::new("silent"));
    let end = download(&format!("{server}/silent"), &place, |download, event| {
        if matches!(event, Event::Step(_)) {
            download.stop();
        }
    });
    assert_eq!(end, End::Stopped);
}

#[test]
fn what_is_not_there_is_a_failure() {
    let (server, place) = (serve_documents(), Place::new("missing"));
    match download(&format!("{server}/missing"), &place, |_, _| ()) {
        End::Failed(why) => assert!(why.contains("404"), "{why}"),
        end => panic!("{end:?}"),
    }
    assert_eq!(fs::read_dir(&place.0).unwrap().count(), 0);
}
