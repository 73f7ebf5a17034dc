//! The kit's claims, and what only this toolkit can do wrong.

#[cfg(windows)]
mod apartment;
#[cfg(windows)]
mod gui;
#[cfg(windows)]
mod leaks;
#[cfg(windows)]
mod modal;
#[cfg(windows)]
mod passing;
#[cfg(windows)]
mod posts;
#[cfg(windows)]
mod pump;
#[cfg(windows)]
mod win32;
#[cfg(windows)]
mod windows;

#[cfg(windows)]
fn main() -> std::process::ExitCode {
    use pump::{GetMessages, MsgWaits};
    use win32::Win32;

    let mut kit = interloop::testing::Kit::new();
    kit = kit.host::<Win32<GetMessages>>().host::<Win32<MsgWaits>>();
    for cases in
        [modal::cases, passing::cases, posts::cases, windows::cases, apartment::cases, leaks::cases]
    {
        kit = cases(kit);
    }
    kit.run()
}

#[cfg(not(windows))]
fn main() {}
