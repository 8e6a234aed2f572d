//! The decision for every source at once: who may open a connection to this address
//! and port?
//!
//! The sources are cut wherever a prefix of some rule begins or ends. All addresses of
//! one piece are alike to every rule, so one of them is asked, and the answer holds
//! for the piece: the result is exact. A source has the destination's family.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use crate::decide::{Attachment, Decision};
use crate::flow::Flow;
use crate::nsg::Nsg;
use crate::platform;
use crate::prefix;
use crate::rule::Access;
use crate::ruling::{Doubt, Question, Ruling};
use crate::tags::PartialTags;

/// Who may and who may not. Every source is in exactly one of the three lists, each
/// of which holds the fewest prefixes, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources<'a> {
    /// Those that are allowed.
    pub allowed: Vec<IpNet>,
    /// Those that are denied.
    pub denied: Vec<IpNet>,
    /// Those of which it is not known.
    pub unknown: Vec<IpNet>,
    /// What decides for the most addresses of those that are allowed.
    pub allowing: Option<Decision<'a>>,
    /// What decides for the most addresses of those that are denied.
    pub denying: Option<Decision<'a>>,
    /// Why it is not known of some.
    pub doubts: Vec<Doubt<'a>>,
}

/// Decides for every source in `among` (prefixes of the destination's family; others
/// are passed over). `flow` says all but the source.
pub fn decide_for_all<'a>(
    nsgs: &[(Attachment, &'a Nsg)],
    flow: &Flow,
    tags: &PartialTags,
    among: &[IpNet],
) -> Sources<'a> {
    let v4 = flow.destination.is_ipv4();
    let among: Vec<IpNet> =
        among.iter().filter(|net| net.addr().is_ipv4() == v4).copied().collect();
    let among = IpNet::aggregate(&among);
    let question = Question::new(nsgs, flow, tags);
    let mut cuts: Vec<u128> = question
        .sources()
        .flat_map(|addresses| tags.bounds(addresses))
        .filter(|net| net.addr().is_ipv4() == v4)
        .flat_map(|net| {
            let (first, last) = ends(&net);
            [Some(first), last.checked_add(1)]
        })
        .flatten()
        .collect();
    cuts.sort_unstable();
    cuts.dedup();

    let mut found = Sources::default();
    let mut most = Most::default();
    for net in among {
        let (mut first, last) = ends(&net);
        loop {
            let next = cuts.get(cuts.partition_point(|cut| *cut <= first)).copied();
            let end = next.map_or(last, |next| last.min(next - 1));
            let one = Flow { source: address(first, v4), ..flow.clone() };
            let ruling = question.ask(&one);
            found.add(ruling, prefixes(first, end, v4), end - first, &mut most);
            if end == last {
                break;
            }
            first = end + 1;
        }
    }
    for list in [&mut found.allowed, &mut found.denied, &mut found.unknown] {
        *list = IpNet::aggregate(list);
    }
    found
}

/// Both families' default prefixes.
pub fn everything() -> [IpNet; 2] {
    let v4 = IpNet::new_assert(Ipv4Addr::UNSPECIFIED.into(), 0);
    [v4, IpNet::new_assert(Ipv6Addr::UNSPECIFIED.into(), 0)]
}

/// The addresses that a connection to a virtual network can come from: unicast, and
/// neither loopback nor link-local nor the platform's own.
pub fn every_source() -> Vec<IpNet> {
    let v4 = |a, b, length| IpNet::new_assert(Ipv4Addr::new(a, b, 0, 0).into(), length);
    let nobody = [
        v4(0, 0, 8),
        v4(127, 0, 8),
        v4(169, 254, 16),
        v4(224, 0, 3),
        IpNet::from(IpAddr::V4(platform::WIRE_SERVER)),
    ];
    let mut sources = prefix::subtract(everything()[0], &nobody);
    let v6 = |first, length| {
        IpNet::new_assert(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0).into(), length)
    };
    sources.extend([v6(0x2000, 3), v6(0xfc00, 7)]);
    sources
}

/// The sizes of the largest pieces so far.
#[derive(Default)]
struct Most {
    allowed: Option<u128>,
    denied: Option<u128>,
}

impl<'a> Sources<'a> {
    fn add(
        &mut self,
        ruling: Ruling<'a>,
        piece: Vec<IpNet>,
        size: u128,
        most: &mut Most,
    ) {
        let decision = match ruling {
            Ruling::Known(decision) => decision,
            Ruling::Unknown(doubts) => {
                self.unknown.extend(piece);
                for doubt in doubts {
                    if !self.doubts.contains(&doubt) {
                        self.doubts.push(doubt);
                    }
                }
                return;
            }
        };
        let (list, decided, most) = match decision.access {
            Access::Allow => (&mut self.allowed, &mut self.allowing, &mut most.allowed),
            Access::Deny => (&mut self.denied, &mut self.denying, &mut most.denied),
        };
        list.extend(piece);
        if most.is_none_or(|most| most < size) {
            (*most, *decided) = (Some(size), Some(decision));
        }
    }
}

/// The first and the last address of a prefix, as numbers.
fn ends(net: &IpNet) -> (u128, u128) {
    match net {
        IpNet::V4(net) => {
            (net.network().to_bits().into(), net.broadcast().to_bits().into())
        }
        IpNet::V6(net) => (net.network().to_bits(), net.broadcast().to_bits()),
    }
}

/// The address with a number. Numbers come from [`ends`], so one of IPv4 fits.
fn address(bits: u128, v4: bool) -> IpAddr {
    match u32::try_from(bits) {
        Ok(bits) if v4 => Ipv4Addr::from_bits(bits).into(),
        _ => Ipv6Addr::from_bits(bits).into(),
    }
}

fn prefixes(first: u128, last: u128, v4: bool) -> Vec<IpNet> {
    match (address(first, v4), address(last, v4)) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
        }
        _ => Vec::new(),
    }
}
