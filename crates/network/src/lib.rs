//! Is this flow allowed, who decides, and where does it go next: Azure's network
//! security groups and routes as pure functions.
//!
//! Nothing here does I/O or reads a clock. The way of one question:
//!
//! 1. ARM documents become values: [`Rule::from_arm`] refuses what Azure refuses,
//!    with Azure's codes and words; [`Nsg`] holds the custom rules and the six
//!    default ones in priority order; [`route::Route::from_arm`] reads user routes.
//! 2. [`Tags`] says what a service tag or an application security group stands for
//!    right now. Only the caller knows the virtual network, so the caller gives it.
//! 3. [`decide()`] answers for one [`Flow`] and says which rule decided. It is written
//!    to be read next to Microsoft's text and is the definition of right.
//!    [`Compiled`] gives the same answers much faster, and [`lower()`] turns an NSG
//!    into the flat list that the fabric loads into nftables; property tests hold
//!    both to [`decide()`].
//!    [`diagnose()`] asks the same of a whole set of flows.
//! 4. [`rule_on()`] decides with [`PartialTags`], for somebody who does not know what
//!    every name stands for: yes, no, or which rules leave it open. [`decide_for_all()`]
//!    asks that for every source there is.
//! 5. [`route::Routes`] lists the effective routes of a NIC, finds the next hop, and
//!    says which packets take a detour.
//! 6. [`Frontends`] says where a packet to a public or load balanced address goes.

mod compiled;
mod decide;
mod diagnose;
mod flow;
mod frontend;
mod lower;
mod nsg;
mod platform;
mod ports;
mod prefix;
pub mod route;
mod rule;
mod ruling;
mod sources;
mod tags;

pub use compiled::Compiled;
pub use decide::{Attachment, Decision, Match, decide};
pub use diagnose::{Comparison, Diagnosis, Profile, diagnose, parse_addresses};
pub use flow::{Direction, Flow, Protocol};
pub use frontend::{Affinity, Forwarding, Frontends, Translation, Via, allot};
pub use lower::{Filter, lower};
pub use nsg::Nsg;
pub use ports::Ports;
pub use prefix::format as prefix_text;
pub use rule::{Access, Addresses, Endpoint, Rule, RuleError, default_rules};
pub use ruling::{Doubt, Ruling, rule_on};
pub use sources::{Sources, decide_for_all, every_source, everything};
pub use tags::{PartialTags, ServiceTag, Tags};
