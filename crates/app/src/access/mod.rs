//! Access control: who calls, with which permissions, and whether a token is active.

mod authority;
mod caller;
pub mod console;
mod facts;
mod named;
mod owner;
pub mod recent;

pub use authority::Denial;
pub(crate) use authority::{Authority, find_organization, find_project};
pub use caller::{Caller, check_actor};
pub(crate) use console::check as check_console;
pub use facts::{ActiveToken, CheckedToken};
pub(crate) use facts::{Found, InactiveToken, Loaded, Wanted, check_policy, look_up};
pub use named::Named;
pub use owner::{LoadedOwner, UserMemberships, end_of, standing};
pub(crate) use owner::{earlier, find_owner, is_configured, lock_memberships};
