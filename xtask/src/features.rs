//! The cargo features of the core packages, and the combinations that are checked.

use std::fs;

use crate::command::{capture, cargo, run, rust_flags, show};

/// The packages that need nothing but Rust.
pub(crate) const CORE: [(&str, &str); 2] =
    [("interloop", "Cargo.toml"), ("interloop-backends", "backends/Cargo.toml")];

/// The core packages, as cargo's arguments name them.
pub(crate) const CORE_ARGUMENTS: &str = "-p interloop -p interloop-backends";

/// The one feature that needs a system library.
const NEEDS_LIBRARY: &str = "libkqueue";

/// The feature that has a backend in it which no operating system needs to offer.
const FAKE: &str = "test-util";

/// What `default` turns on besides the backends.
const LAYERS: [&str; 2] = ["net", "unblock"];

/// The features of one package.
pub(crate) struct Features {
    /// Those that `default` turns on.
    pub(crate) backends: Vec<String>,
    /// The others, but for the one that needs a system library.
    pub(crate) extras: Vec<String>,
}

impl Features {
    /// Those that the manifest at `path` names.
    pub(crate) fn of(path: &str) -> Result<Features, String> {
        let manifest =
            fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
        Features::parse(&manifest).ok_or_else(|| format!("{path} has no default features"))
    }

    fn parse(manifest: &str) -> Option<Features> {
        let (_, table) = manifest.split_once("[features]\n")?;
        let table = table.split_once("\n[").map_or(table, |(table, _)| table);
        let lines = table.lines().filter(|line| !line.trim_start().starts_with('#'));
        let mut rest = lines.collect::<String>();
        let mut features = Features { backends: Vec::new(), extras: Vec::new() };
        while let Some((name, tail)) = rest.split_once('=') {
            let (values, tail) = tail.split_once(']')?;
            match name.trim() {
                "default" => {
                    let values = values.trim_start_matches([' ', '[']).split(',');
                    let values = values.map(|value| value.trim().trim_matches('"').to_owned());
                    let backends =
                        values.filter(|value| !value.is_empty() && !LAYERS.contains(&&**value));
                    features.backends = backends.collect();
                }
                NEEDS_LIBRARY => {}
                name => features.extras.push(name.to_owned()),
            }
            rest = tail.to_owned();
        }
        features.extras.retain(|name| !features.backends.contains(name));
        (!features.backends.is_empty()).then_some(features)
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.backends.iter().chain(&self.extras).map(String::as_str)
    }
}

/// `--features` for everything that the core packages have and that needs no system library.
pub(crate) fn everything() -> Result<String, String> {
    let mut names = Vec::new();
    for (package, manifest) in CORE {
        let features = Features::of(manifest)?;
        names.extend(features.extras.iter().map(|name| format!("{package}/{name}")));
    }
    Ok(format!("--features {}", names.join(",")))
}

/// Checks each pair of features by cargo-hack, as far as one of `backends`, which open here, or the
/// fake is in it.
pub(crate) fn check_pairs(backends: &[String]) -> Result<(), String> {
    let mut hack = cargo("hack check --keep-going --feature-powerset --depth 2");
    hack.args(CORE_ARGUMENTS.split_whitespace());
    hack.args(["--exclude-features", &format!("default,{NEEDS_LIBRARY}")]);
    hack.args(["--at-least-one-of", &format!("{},{FAKE}", backends.join(","))]);
    run(hack.env("RUSTFLAGS", rust_flags("-D warnings")))
}

/// Checks each of `backends`, which open here, alone; the fake alone; each other feature with one
/// backend; and all together.
pub(crate) fn check_each(backends: &[String]) -> Result<(), String> {
    let [one, ..] = backends else { return Err("no backend opens here".to_owned()) };
    for (package, manifest) in CORE {
        let features = Features::of(manifest)?;
        let mut combinations = backends.to_vec();
        combinations.push(FAKE.to_owned());
        let others = features.all().filter(|name| !backends.iter().any(|backend| backend == name));
        combinations.extend(others.map(|other| format!("{one},{other}")));
        combinations.push(features.all().collect::<Vec<_>>().join(","));
        for combination in combinations {
            let mut check = cargo("check --no-default-features");
            check.args(["-p", package, "--features", &combination]);
            run(check.env("RUSTFLAGS", rust_flags("-D warnings")))?;
        }
    }
    Ok(())
}

/// Checks everything over rustix with its calls by libc, which any other crate of a program may ask for: some of its types
/// differ then.
pub(crate) fn check_upon_libc() -> Result<(), String> {
    for (package, manifest) in CORE {
        let features = Features::of(manifest)?;
        let names: Vec<_> = features.all().chain(["rustix/use-libc"]).collect();
        let mut check = cargo("check");
        check.args(["-p", package, "--features", &names.join(",")]);
        run(check.env("RUSTFLAGS", rust_flags("-D warnings")))?;
    }
    Ok(())
}

/// Without a backend there must be an error that names every feature that would help.
pub(crate) fn check_none() -> Result<(), String> {
    let backends = Features::of("Cargo.toml")?.backends;
    let mut check = cargo("check -p interloop --no-default-features --color never");
    println!("   $ {}", show(&check));
    let output = capture(&mut check)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let names_all = |line: &str| backends.iter().all(|backend| line.contains(backend.as_str()));
    match errors.lines().find(|line| line.starts_with("error: ") && names_all(line)) {
        _ if output.status.success() => Err("it compiles without any backend".to_owned()),
        None => Err(format!("no error names all of {}:\n{errors}", backends.join(", "))),
        Some(error) => {
            println!("   as it must be: {error}");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_features_of_a_manifest_are_read() {
        let manifest = "[package]\nname = \"x\"\n\n[features]\ndefault = [\n    \"epoll\",\n    \
                        \"poll\", \"net\",\n]\nnet = []\n# Comments [are] = passed over.\nepoll = []\npoll = []\n\
                        libkqueue = [\"dep:libc\"]\ntest-util = [\"y/test-util\"]\n\n\
                        [dependencies]\nnone = { features = [] }\n";
        let features = Features::parse(manifest).unwrap();
        assert_eq!(features.backends, ["epoll", "poll"]);
        assert_eq!(features.extras, ["net", "test-util"]);
    }

    #[test]
    fn a_manifest_without_backends_is_an_error() {
        assert!(Features::parse("[features]\ntracing = []\n").is_none());
    }
}
