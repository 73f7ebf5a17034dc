//! What a client hears, out of the lines of the protocol.

/// What [`Client::join`](super::Client::join) tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The server has let us in; these are there too.
    Welcome {
        /// Their names.
        others: Vec<String>,
    },
    /// Somebody has said something.
    Said {
        /// Who.
        from: String,
        /// What.
        text: String,
    },
    /// Somebody has come.
    Joined(String),
    /// Somebody has gone, for the reason that follows, if there is one.
    Left(String, String),
    /// The server says something else.
    Notice(String),
    /// The connection is closed: orderly, or for a reason to be shown. Nothing comes after this.
    End(Result<(), String>),
}

/// What a line of the server says.
pub(super) fn read(line: &str) -> Event {
    let Some(notice) = line.strip_prefix("* ") else {
        let (from, text) = line.split_once(": ").unwrap_or((line, ""));
        return Event::Said { from: from.to_owned(), text: text.to_owned() };
    };
    if let Some((_, others)) =
        notice.strip_prefix("welcome, ").and_then(|rest| rest.split_once("; here are: "))
    {
        let names = others.split(", ").filter(|name| *name != "nobody else");
        return Event::Welcome { others: names.map(str::to_owned).collect() };
    }
    // A name has no spaces.
    match notice.split_once(' ') {
        Some((name, "has joined")) => Event::Joined(name.to_owned()),
        Some((name, "has left")) => Event::Left(name.to_owned(), String::new()),
        Some((name, what)) if what.starts_with("was dropped") => {
            Event::Left(name.to_owned(), what.to_owned())
        }
        _ => Event::Notice(notice.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let said = |from: &str, text: &str| Event::Said { from: from.into(), text: text.into() };
        let welcome = |others: &[&str]| Event::Welcome {
            others: others.iter().map(|name| (*name).to_owned()).collect(),
        };
        let cases = [
            ("bob: * alice has left", said("bob", "* alice has left")),
            ("bob: see: this", said("bob", "see: this")),
            ("* welcome, bob; here are: nobody else", welcome(&[])),
            ("* welcome, bob; here are: alice, carol", welcome(&["alice", "carol"])),
            ("* bob has joined", Event::Joined("bob".into())),
            ("* bob has left", Event::Left("bob".into(), String::new())),
            (
                "* bob was dropped: it does not read what it is sent",
                Event::Left("bob".into(), "was dropped: it does not read what it is sent".into()),
            ),
            (
                "* goodbye, bob: the server ends",
                Event::Notice("goodbye, bob: the server ends".into()),
            ),
        ];
        for (line, event) in cases {
            assert_eq!(read(line), event, "{line}");
        }
    }
}
