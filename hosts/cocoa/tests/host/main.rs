//! The kit's claims, and what only run loops can do wrong.

#[cfg(any(run_loop = "core_foundation", run_loop = "gnustep"))]
mod modes;
#[cfg(run_loop = "core_foundation")]
#[path = "core_foundation/mod.rs"]
mod run_loop;
#[cfg(run_loop = "gnustep")]
#[path = "gnustep/mod.rs"]
mod run_loop;
#[cfg(any(run_loop = "core_foundation", run_loop = "gnustep"))]
mod threads;

#[cfg(any(run_loop = "core_foundation", run_loop = "gnustep"))]
fn main() -> std::process::ExitCode {
    use run_loop::Loop;

    let mut kit = interloop::testing::Kit::new();
    kit = kit.host::<Loop<false>>().host::<Loop<true>>();
    for cases in [modes::cases, threads::cases, run_loop::cases] {
        kit = cases(kit);
    }
    kit.run()
}

#[cfg(not(any(run_loop = "core_foundation", run_loop = "gnustep")))]
fn main() {}
