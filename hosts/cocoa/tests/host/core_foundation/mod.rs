//! `CFRunLoop`.

mod host;
pub mod raw;
mod stops;

use interloop::testing::Kit;

pub use host::{CoreFoundation as Loop, DEFAULT};

pub fn cases(kit: Kit) -> Kit {
    stops::cases(kit)
}
