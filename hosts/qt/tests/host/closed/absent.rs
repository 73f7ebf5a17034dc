//! In the place of what closes descriptors, where there are none.

use interloop::testing::{Host, Kit};

pub fn add<H: Host>(kit: Kit) -> Kit {
    kit
}
