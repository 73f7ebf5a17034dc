//! What the build script makes of wx-config's words.

#[path = "../build/words.rs"]
mod words;

use words::lines;

#[test]
fn shared_libraries_are_linked_by_name() {
    let lines = lines("-L/opt/wx/lib -pthread   -lwx_gtk3u_core-3.2 -lwx_baseu-3.2 \n").unwrap();
    let expected = [
        "cargo::rustc-link-search=native=/opt/wx/lib",
        "cargo::rustc-link-lib=pthread",
        "cargo::rustc-link-lib=wx_gtk3u_core-3.2",
        "cargo::rustc-link-lib=wx_baseu-3.2",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_static_build_is_linked_by_its_archives() {
    let words = "/opt/wx/lib/libwx_baseu-3.2.a /opt/wx/lib/libwx_gtk3u_core-3.2.a \
                 /opt/wx/lib/libwx_baseu-3.2.a -lz /lib/libX.so";
    let expected = [
        "cargo::rustc-link-lib=static:-bundle=wx_gtk3u_core-3.2",
        "cargo::rustc-link-search=native=/opt/wx/lib",
        "cargo::rustc-link-lib=static:-bundle=wx_baseu-3.2",
        "cargo::rustc-link-lib=z",
        "cargo::rustc-link-search=native=/lib",
        "cargo::rustc-link-lib=dylib=X",
    ];
    assert_eq!(lines(words).unwrap(), expected);
}

#[test]
fn a_flag_is_passed_on_as_far_as_it_goes_and_named() {
    let lines = lines("-Wl,-rpath,/opt/wx/lib -framework Cocoa").unwrap();
    assert_eq!(lines[0], "cargo::rustc-link-arg=-Wl,-rpath,/opt/wx/lib");
    assert!(lines[1].starts_with("cargo::warning=wx-config asks for -Wl,-rpath,/opt/wx/lib,"));
    assert_eq!(lines[2], "cargo::rustc-link-lib=framework=Cocoa");
}

#[test]
fn what_is_no_library_is_an_error_that_names_it() {
    for word in ["/opt/wx/lib/wx.obj", "wx", "/opt/wx/lib/wx.a", "-framework"] {
        assert!(lines(word).unwrap_err().contains(word), "{word}");
    }
}
