//! What only GLib can do wrong: its contexts, its priorities, its nested loops, its applications.

mod application;
mod contexts;
mod ends;
mod loops;
mod priorities;
mod wakers;
mod world;
