//! The migrations are part of the program: a new one builds it anew.

#![expect(
    clippy::print_stdout,
    reason = "it is how a build script speaks to cargo"
)]

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
