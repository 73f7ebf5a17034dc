//! Child processes, where the memory, the descriptors or the signals of the whole process count.
#![allow(unsafe_code)]

use std::fs;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

use futures_lite::AsyncReadExt;
use interloop::process::spawn;

use crate::pairs::{script, settled};
use crate::world::World;

/// How many bytes of memory the process has in use.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: usize = line.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    kilobytes * 1024
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Behaviour 56.
pub fn a_hundred_megabytes_come_through_a_pipe(world: &World) {
    const BYTES: usize = 100_000_000;
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let mut command = Command::new("head");
            command.args(["-c", &BYTES.to_string(), "/dev/zero"]).stdout(Stdio::piped());
            let mut child = spawn(&reactor, &mut command).unwrap();
            let mut stdout = child.stdout.take().unwrap();
            let (mut bytes, mut sum, before) = (vec![1; 64 * 1024], 0, resident());
            loop {
                let read = stdout.read(&mut bytes).await.unwrap();
                assert!(bytes[..read].iter().all(|byte| *byte == 0));
                if read == 0 {
                    break;
                }
                sum += read;
            }
            assert_eq!(sum, BYTES);
            assert!(resident() < before + 20_000_000);
            assert!(child.wait().await.unwrap().success());
        }
    });
}

/// Behaviour 42, 56.
pub fn children_leave_no_descriptor(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            const ROUNDS: usize = 30;
            let before = descriptors();
            for _ in 0..ROUNDS {
                let mut command = Command::new("cat");
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
                let mut child = spawn(&reactor, &mut command).unwrap();
                assert!(child.wait().await.unwrap().success());
                drop(child);
                let child = spawn(&reactor, &mut command).unwrap();
                assert!(child.wait_with_output().await.unwrap().status.success());
                spawn(&reactor, &mut Command::new("no-such-program")).unwrap_err();
            }
            settled(&reactor).await;
            // What a backend keeps is made late, and libkqueue closes in its own time what it had in
            // earlier cases: but not one for each round.
            assert!(descriptors() < before + ROUNDS);
        }
    });
}

/// What ended is not there to be waited for.
pub fn with_sigchld_ignored_the_status_is_lost_and_said_so(world: &World) {
    // SAFETY: it ignores a signal that nobody here listens to.
    let before = unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let mut command = Command::new("cat");
            let mut child = spawn(&reactor, command.stdin(Stdio::piped())).unwrap();
            let error = child.wait().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.to_string().contains("SIGCHLD"), "{error}");
            child.kill().unwrap();
        }
    });
    // SAFETY: as above.
    unsafe { libc::signal(libc::SIGCHLD, before) };
}
