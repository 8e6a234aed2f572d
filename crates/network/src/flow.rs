//! One flow: the five-tuple that a network security group looks at, and its
//! direction as the VM sees it.

use std::fmt;
use std::net::IpAddr;

/// Which of a NIC's two rule lists a flow meets, seen from the VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Towards the VM.
    Inbound,
    /// Away from the VM.
    Outbound,
}

/// An IP protocol that a rule can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// TCP, protocol number 6.
    Tcp,
    /// UDP, protocol number 17.
    Udp,
    /// ICMP, protocol number 1.
    Icmp,
    /// IPsec's encapsulating security payload, protocol number 50.
    Esp,
    /// IPsec's authentication header, protocol number 51.
    Ah,
    /// In a rule: every protocol (`*`). In a flow: one that no rule can name, such
    /// as GRE, which therefore only rules for every protocol match.
    Any,
}

/// A new connection, or a packet of no known connection.
///
/// Addresses are those that the NSG sees: inbound after the public address was
/// translated to the private one, outbound before the reverse. Behind a load
/// balancer the source is the original client and the port the backend's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Seen from the VM whose NSGs are asked.
    pub direction: Direction,
    /// The IP protocol.
    pub protocol: Protocol,
    /// Who opens the connection.
    pub source: IpAddr,
    /// The opener's port; without meaning unless the protocol is TCP or UDP.
    pub source_port: u16,
    /// Who is called.
    pub destination: IpAddr,
    /// The called port; without meaning unless the protocol is TCP or UDP.
    pub destination_port: u16,
}

impl Protocol {
    /// The number in the IP header; none for [`Protocol::Any`].
    pub fn number(self) -> Option<u8> {
        match self {
            Protocol::Tcp => Some(6),
            Protocol::Udp => Some(17),
            Protocol::Icmp => Some(1),
            Protocol::Esp => Some(50),
            Protocol::Ah => Some(51),
            Protocol::Any => None,
        }
    }

    /// Whether the protocol's header has port numbers.
    pub fn has_ports(self) -> bool {
        matches!(self, Protocol::Tcp | Protocol::Udp)
    }
}

/// ARM's spelling: `Inbound` or `Outbound`.
impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Inbound => "Inbound",
            Direction::Outbound => "Outbound",
        })
    }
}

/// ARM's spelling: `Tcp`, `Udp`, `Icmp`, `Esp`, `Ah` or `*`.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Tcp => "Tcp",
            Protocol::Udp => "Udp",
            Protocol::Icmp => "Icmp",
            Protocol::Esp => "Esp",
            Protocol::Ah => "Ah",
            Protocol::Any => "*",
        })
    }
}
