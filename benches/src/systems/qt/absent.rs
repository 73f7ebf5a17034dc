//! In the place of Qt's event loop, where the feature is off.

use std::io;

use interloop::Reactor;

use super::left_out;
use super::ours::Drive;

/// Leaves out what would run in its event loop.
pub(crate) fn host(_reactor: &Reactor, _drive: Drive) -> io::Result<()> {
    Err(left_out("built without the feature `qt`"))
}
