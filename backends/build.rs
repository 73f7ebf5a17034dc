//! The table of backends: which of them are compiled, by features and target. src/lib.rs asks for
//! its answers by the names on the left.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let unix = env::var_os("CARGO_CFG_UNIX").is_some();
    let linux = target("OS", &["linux"]);
    let words_of_64_bits = target("POINTER_WIDTH", &["64"]);
    let bsd = target("OS", &["freebsd", "dragonfly", "netbsd", "openbsd"]);
    let libkqueue = linux && feature("LIBKQUEUE");
    let kernel_queue = bsd || target("VENDOR", &["apple"]);

    let epoll = feature("EPOLL") && (linux || target("OS", &["android"]));
    // Its user data is one word, and takes a key.
    let kqueue = feature("KQUEUE") && words_of_64_bits && (kernel_queue || libkqueue);
    let polling = feature("POLLING") && words_of_64_bits;
    let poll = feature("POLL") && unix;
    // illumos and Solaris hold on to FD_SETSIZE, and rustix leaves select out there.
    let select = feature("SELECT") && (linux || kernel_queue || target("OS", &["android"]));
    let set = poll || select;
    // The layout of its rings is known for these.
    let io_uring = feature("IO_URING") && linux && words_of_64_bits;
    let queue_without_user_events = kqueue && target("OS", &["netbsd", "openbsd"]);

    for (name, there) in [
        ("has_epoll", epoll),
        ("has_kqueue", kqueue),
        ("has_io_uring", io_uring),
        ("has_polling", polling),
        ("has_poll", poll),
        ("has_select", select),
        ("has_backend", epoll || io_uring || kqueue || polling || set),
        ("has_own_wait", epoll || io_uring || kqueue || set),
        ("has_set", set),
        ("has_changes", set || io_uring),
        ("has_notifier", set || queue_without_user_events),
    ] {
        println!("cargo::rustc-check-cfg=cfg({name})");
        if there {
            println!("cargo::rustc-cfg={name}");
        }
    }
    #[cfg(feature = "libkqueue")]
    if libkqueue {
        find_libkqueue();
    }
}

fn feature(name: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}

fn target(property: &str, values: &[&str]) -> bool {
    let value = env::var(format!("CARGO_CFG_TARGET_{property}")).unwrap_or_default();
    values.contains(&value.as_str())
}

#[cfg(feature = "libkqueue")]
fn find_libkqueue() {
    if let Err(error) = pkg_config::Config::new().probe("libkqueue") {
        println!(
            "cargo::error=the feature `libkqueue` needs the system library libkqueue, which \
             pkg-config did not find. Install it with its development files (libkqueue-dev in some \
             distributions), or build it from https://github.com/mheily/libkqueue with cmake and \
             name the folder of its libkqueue.pc in PKG_CONFIG_PATH; or leave the feature off"
        );
        println!("cargo::error={}", error.to_string().replace('\n', " "));
    }
}
