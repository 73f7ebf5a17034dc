//! `CFRunLoop`.

mod host;
pub mod raw;
mod stops;
#[cfg(target_os = "macos")]
mod termination;

use interloop::testing::Kit;

pub use host::{CoreFoundation as Loop, DEFAULT};

pub fn cases(kit: Kit) -> Kit {
    #[cfg(target_os = "macos")]
    let kit = termination::cases(kit);
    stops::cases(kit)
}
