//! Hosts that `interloop` has no package for. Their adapters are in the tests, as small as an author's
//! first one would be, and `interloop::testing` tries its claims on them:
//!
//! | test | needs | worker drive | embedded drive |
//! | --- | --- | --- | --- |
//! | `calloop` | Rust | `calloop::channel` | a `Generic` source |
//! | `libuv` | `--features libuv`, libuv1-dev | `uv_async_send` | `uv_poll_t` |
//! | `tcl` | `--features tcl`, tcl-dev | `Tcl_ThreadQueueEvent`, `Tcl_ThreadAlert` | `Tcl_CreateFileHandler` |
//!
//! calloop and libuv cannot run a loop inside a callback of theirs, so that the cases of nested loops are
//! skipped there; Tcl can, as every toolkit with dialogs.
