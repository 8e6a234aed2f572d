//! The decision for one flow, written to be read next to Microsoft's description.
//!
//! - Inbound, the subnet's NSG comes before the NIC's; outbound it is the other way
//!   round. This holds between VMs of one subnet too.
//! - In each NSG the first rule in priority order that matches decides.
//! - A deny ends it: the next NSG is not evaluated, so it is not reported either.
//! - A level without an NSG passes everything; without any NSG all is allowed and no
//!   rule has decided. (A frontend of the Standard SKU is closed in that case; the
//!   caller knows the SKU.)
//! - Replies never come here: NSGs are stateful.

use std::fmt;

use crate::flow::{Direction, Flow};
use crate::nsg::Nsg;
use crate::platform;
use crate::rule::{Access, Rule};
use crate::tags::Tags;

/// What an NSG is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attachment {
    /// The subnet of the NIC.
    Subnet,
    /// The NIC itself.
    NetworkInterface,
}

/// The rule of one evaluated NSG that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'a> {
    /// Where the NSG is attached.
    pub attachment: Attachment,
    /// The NSG.
    pub nsg: &'a Nsg,
    /// Its first rule that matches the flow.
    pub rule: &'a Rule,
}

/// What happens to a flow, and because of which rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'a> {
    /// What happens to the flow.
    pub access: Access,
    /// Whether this is the VM's traffic to the platform, which passes unless a rule
    /// names one of the platform's own tags.
    pub exempt: bool,
    /// The NSGs that were evaluated, in order, each with the rule that matched.
    pub evaluated: Vec<Match<'a>>,
}

impl<'a> Decision<'a> {
    /// The rule to report: the one that denied or, if all allowed, that of the NSG
    /// evaluated last. None if no NSG had a say.
    pub fn deciding(&self) -> Option<Match<'a>> {
        self.evaluated.last().copied()
    }

    /// Follows the NSGs in evaluation order until one denies.
    pub(crate) fn follow(
        exempt: bool,
        matches: impl Iterator<Item = Match<'a>>,
    ) -> Decision<'a> {
        let mut evaluated = Vec::with_capacity(2);
        let mut access = Access::Allow;
        for matched in matches {
            evaluated.push(matched);
            if matched.rule.access == Access::Deny {
                access = Access::Deny;
                break;
            }
        }
        Decision { access, exempt, evaluated }
    }
}

/// Decides about a new flow at a NIC. `nsgs` holds the NSGs of its subnet and of the
/// NIC itself, in any order; `tags` is the world as the NIC's virtual network sees it.
pub fn decide<'a>(
    nsgs: &[(Attachment, &'a Nsg)],
    flow: &Flow,
    tags: &Tags,
) -> Decision<'a> {
    let matches =
        in_evaluation_order(nsgs, flow.direction).filter_map(|(attachment, nsg)| {
            let rule = first_match(nsg, flow, tags)?;
            Some(Match { attachment, nsg, rule })
        });
    Decision::follow(platform::exempt(flow), matches)
}

/// The subnet's NSG first for what comes in, the NIC's first for what goes out.
pub(crate) fn in_evaluation_order<'a>(
    nsgs: &[(Attachment, &'a Nsg)],
    direction: Direction,
) -> impl Iterator<Item = (Attachment, &'a Nsg)> {
    let order = match direction {
        Direction::Inbound => [Attachment::Subnet, Attachment::NetworkInterface],
        Direction::Outbound => [Attachment::NetworkInterface, Attachment::Subnet],
    };
    order.into_iter().flat_map(move |level| {
        nsgs.iter().filter(move |(attachment, _)| *attachment == level).copied()
    })
}

/// The rule of one NSG that decides. Only a flow to the platform can find none: the
/// last rule of an NSG matches all others.
pub(crate) fn first_match<'a>(
    nsg: &'a Nsg,
    flow: &Flow,
    tags: &Tags,
) -> Option<&'a Rule> {
    nsg.rules(flow.direction)
        .iter()
        .find(|rule| platform::applies(rule, flow) && rule.matches(flow, tags))
}

/// `subnet` or `networkInterface`, as ARM names the associations.
impl fmt::Display for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Attachment::Subnet => "subnet",
            Attachment::NetworkInterface => "networkInterface",
        })
    }
}
