//! Finds the libraries of the loops whose features are on.

use std::env;
use std::process::exit;

struct Library {
    feature: &'static str,
    /// What pkg-config calls it, and from which version on.
    module: &'static str,
    version: &'static str,
    /// Debian's package.
    package: &'static str,
}

const LIBRARIES: [Library; 2] = [
    Library { feature: "libuv", module: "libuv", version: "1.19", package: "libuv1-dev" },
    Library { feature: "tcl", module: "tcl", version: "8.6", package: "tcl-dev" },
];

fn main() {
    for library in LIBRARIES {
        let Library { feature, module, version, package } = library;
        if env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_none() {
            continue;
        }
        if let Err(error) = pkg_config::Config::new().atleast_version(version).probe(module) {
            eprintln!(
                "the feature `{feature}` needs {module} {version} or later, which pkg-config does not \
                 find: on Debian, apt install {package} pkg-config\n\n{error}"
            );
            exit(1);
        }
    }
}
