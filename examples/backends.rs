//! Which backends there are, which of them open here, and why not the others.
//!
//! `cargo run --example backends`; with `-- --names` only the names of those that open, best first.

use std::env;
use std::process::ExitCode;

use interloop::{BackendKind, Reactor};

fn main() -> ExitCode {
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    let names_only = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--names"] => true,
        _ => {
            eprintln!("usage: backends [--names]");
            return ExitCode::from(2);
        }
    };
    for kind in BackendKind::ALL {
        match Reactor::builder().backend(kind).build() {
            Ok(_) if names_only => println!("{kind}"),
            Ok(_) => println!("{kind:<8} opens here"),
            Err(_) if names_only => {}
            Err(error) => println!("{kind:<8} {error}"),
        }
    }
    ExitCode::SUCCESS
}
