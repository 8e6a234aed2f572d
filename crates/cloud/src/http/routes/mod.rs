//! Which path is which noun's, one file per provider.
//!
//! Paths are in lower case (see [`path`](super::path)). A call's id is the path up
//! to its last placeholder: the item itself, what a collection is in, or what an
//! action is done to.

mod authorization;
mod compute;
mod health;
mod insights;
mod network;
mod resources;

use super::table::Table;

const SUBSCRIPTION: &str = "/subscriptions/{subscription}";
const GROUP: &str = "/subscriptions/{subscription}/resourcegroups/{group}";

/// Everything that needs a token.
pub(super) fn all() -> Table {
    let mut table = Table::default();
    resources::add(&mut table);
    compute::add(&mut table);
    network::add(&mut table);
    health::add(&mut table);
    authorization::add(&mut table);
    insights::add(&mut table);
    table
}

/// The path of a provider's list or action in the whole subscription.
fn everywhere(kind: &str) -> String {
    format!("{SUBSCRIPTION}/providers/{kind}")
}
