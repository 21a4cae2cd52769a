//! Five published token systems. Each is set up with the files of its folder in `examples/` alone,
//! and each statement about it is one test: through the CLI under the name of the system, the
//! pages, and any HTTP client.
//!
//! The comment of a test is the statement. A second paragraph that starts with `Differently:` or
//! `Does not hold:` says what is otherwise, and the test shows it. `docs/reference/systems.md`
//! lists them all.

mod brand;
mod cloud_waste_scanner;
mod cloudaipilot;
mod cmdop;
mod comwit_cloud;
mod in_process;
mod machine;
mod nginx;
mod shared;
mod stand_in;
mod system;
mod table;
mod walwarden;
