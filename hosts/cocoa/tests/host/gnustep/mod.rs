//! `NSRunLoop` of GNUstep.

mod host;
mod pools;
pub mod raw;

use interloop::testing::Kit;

pub use host::{DEFAULT, Gnustep as Loop};

pub fn cases(kit: Kit) -> Kit {
    pools::cases(kit)
}
