//! Reading a rule from ARM's `SecurityRulePropertiesFormat`, refusing what Azure
//! refuses.
//!
//! Fields are read in the order name, enumerations, priority, source, destination;
//! the first that is wrong is the one that is reported.

use std::ops::RangeInclusive;

use ipnet::IpNet;
use serde_json::Value;

use super::arm::{DESTINATION, SOURCE, Side};
use super::{Access, Addresses, Endpoint, Rule, RuleError};
use crate::flow::{Direction, Protocol};
use crate::ports::{self, Ports};
use crate::prefix;
use crate::tags::ServiceTag;

/// The priorities that custom rules may have.
const PRIORITIES: RangeInclusive<i64> = 100..=4096;

/// Which words count as service tags.
#[derive(Clone, Copy)]
pub(crate) enum Vocabulary {
    /// Those that this crate knows: for rules that somebody writes now.
    Known,
    /// Every word: for rules that Azure has accepted.
    Open,
}

impl Rule {
    /// Reads a rule that somebody wants to write. `id` is its resource id or its bare
    /// name, `properties` ARM's `properties` object; read-only and unknown fields are
    /// ignored.
    ///
    /// # Errors
    /// What Azure answers with status 400: [`RuleError::code`] and the error's text
    /// are Azure's.
    pub fn from_arm(id: &str, properties: &Value) -> Result<Rule, RuleError> {
        read(id, properties, Vocabulary::Known)
    }
}

/// Reads a rule; the last segment of `id` is its name.
pub(crate) fn read(
    id: &str,
    properties: &Value,
    vocabulary: Vocabulary,
) -> Result<Rule, RuleError> {
    let name = id.rsplit('/').next().unwrap_or(id);
    if !is_resource_name(name) {
        return Err(RuleError::Name { name: name.to_owned() });
    }
    let form = Form { rule: id, properties, vocabulary };
    let protocol = form.choice("protocol", &PROTOCOLS)?;
    let access = form.choice("access", &ACCESSES)?;
    let direction = form.choice("direction", &DIRECTIONS)?;
    let priority = form.priority()?;
    let source = form.endpoint(&SOURCE)?;
    let destination = form.endpoint(&DESTINATION)?;
    form.one_family(&source, &destination)?;
    Ok(Rule {
        name: name.to_owned(),
        description: form.text("description")?.map(str::to_owned),
        priority,
        direction,
        access,
        protocol,
        source,
        destination,
        default: false,
    })
}

const PROTOCOLS: [(&str, Protocol); 6] = [
    ("Tcp", Protocol::Tcp),
    ("Udp", Protocol::Udp),
    ("Icmp", Protocol::Icmp),
    ("Esp", Protocol::Esp),
    ("Ah", Protocol::Ah),
    ("*", Protocol::Any),
];
const ACCESSES: [(&str, Access); 2] = [("Allow", Access::Allow), ("Deny", Access::Deny)];
const DIRECTIONS: [(&str, Direction); 2] =
    [("Inbound", Direction::Inbound), ("Outbound", Direction::Outbound)];

/// Up to 80 characters; a word character first, a word character or `_` last, and
/// `.`, `-`, `_` between.
fn is_resource_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.len() <= 80
        && name.bytes().all(inner)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '_')
}

/// The request as it came, and what is needed to speak of it.
struct Form<'a> {
    rule: &'a str,
    properties: &'a Value,
    vocabulary: Vocabulary,
}

impl<'a> Form<'a> {
    fn unparsable(&self, field: &'static str, problem: &'static str) -> RuleError {
        RuleError::Unparsable { rule: self.rule.to_owned(), field, problem }
    }

    /// A string field; absent, null and empty are the same to ARM.
    fn text(&self, field: &'static str) -> Result<Option<&'a str>, RuleError> {
        match self.properties.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => {
                Ok(Some(text).filter(|t| !t.is_empty()).map(|t| t.as_str()))
            }
            Some(_) => Err(self.unparsable(field, "must be a string")),
        }
    }

    /// A list field; absent, null and empty are the same to ARM.
    fn list(&self, field: &'static str) -> Result<&'a [Value], RuleError> {
        match self.properties.get(field) {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.unparsable(field, "must be a list")),
        }
    }

    fn choice<T: Copy>(
        &self,
        field: &'static str,
        choices: &[(&str, T)],
    ) -> Result<T, RuleError> {
        let text =
            self.text(field)?.ok_or_else(|| self.unparsable(field, "is required"))?;
        choices
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
            .map(|(_, value)| *value)
            .ok_or_else(|| self.unparsable(field, "has a value that it cannot have"))
    }

    fn priority(&self) -> Result<u16, RuleError> {
        const FIELD: &str = "priority";
        let value = match self.properties.get(FIELD) {
            None | Some(Value::Null) => Err(self.unparsable(FIELD, "is required")),
            Some(value) => {
                value.as_i64().ok_or_else(|| self.unparsable(FIELD, "must be an integer"))
            }
        }?;
        u16::try_from(value)
            .ok()
            .filter(|_| PRIORITIES.contains(&value))
            .ok_or(RuleError::Priority { value })
    }

    fn endpoint(&self, side: &Side) -> Result<Endpoint, RuleError> {
        Ok(Endpoint { addresses: self.addresses(side)?, ports: self.ports(side)? })
    }

    fn ports(&self, side: &Side) -> Result<Ports, RuleError> {
        let range = |text: &str| {
            ports::parse(text)
                .ok_or_else(|| RuleError::PortRange { value: text.to_owned() })
        };
        match (self.text(side.port)?, self.list(side.ports)?) {
            (Some(one), []) => Ok([range(one)?].into_iter().collect()),
            (None, []) => Err(self.missing(side.ports_needed)),
            (None, several) => {
                several.iter().map(|item| range(self.string(side.ports, item)?)).collect()
            }
            (Some(_), _) => Err(self.unparsable(side.port, "cannot stand beside a list")),
        }
    }

    fn addresses(&self, side: &Side) -> Result<Addresses, RuleError> {
        let one = self.text(side.prefix)?;
        match (one, self.list(side.prefixes)?, self.list(side.groups)?) {
            (Some(one), [], []) => self.singular(one),
            (None, [], []) => Err(self.missing(side.addresses_needed)),
            (None, several, []) => several
                .iter()
                .map(|item| self.plural(side, self.string(side.prefixes, item)?))
                .collect::<Result<_, _>>()
                .map(Addresses::Prefixes),
            (None, [], groups) => groups
                .iter()
                .map(|group| self.group(side, group))
                .collect::<Result<_, _>>()
                .map(Addresses::Groups),
            _ => Err(self.unparsable(side.prefix, "cannot stand beside a list")),
        }
    }

    /// `*`, an address, a block or a tag.
    fn singular(&self, text: &str) -> Result<Addresses, RuleError> {
        if text == "*" {
            return Ok(Addresses::Any);
        }
        if let Some(net) = prefix::parse(text) {
            return Ok(Addresses::Prefixes(vec![net]));
        }
        self.tag(text).map(Addresses::Tag).ok_or_else(|| self.not_a_prefix(text))
    }

    /// An address or a block: the plural field takes nothing else.
    fn plural(&self, side: &Side, text: &str) -> Result<IpNet, RuleError> {
        if let Some(net) = prefix::parse(text) {
            return Ok(net);
        }
        if text == "*" || self.tag(text).is_some() {
            return Err(RuleError::UnsupportedValue {
                parameter: side.parameter,
                rule: self.rule.to_owned(),
                value: text.to_owned(),
            });
        }
        Err(self.not_a_prefix(text))
    }

    fn group(&self, side: &Side, group: &Value) -> Result<String, RuleError> {
        let id = group.get("id").and_then(Value::as_str);
        id.map(str::to_owned)
            .ok_or_else(|| self.unparsable(side.groups, "must be a list of ids"))
    }

    fn tag(&self, text: &str) -> Option<ServiceTag> {
        match self.vocabulary {
            Vocabulary::Known => ServiceTag::parse(text),
            Vocabulary::Open => ServiceTag::parse_accepted(text),
        }
    }

    fn string(&self, field: &'static str, item: &'a Value) -> Result<&'a str, RuleError> {
        item.as_str().ok_or_else(|| self.unparsable(field, "must be a list of strings"))
    }

    fn one_family(&self, one: &Endpoint, other: &Endpoint) -> Result<(), RuleError> {
        let mut prefixes =
            [one, other].into_iter().flat_map(|side| match &side.addresses {
                Addresses::Prefixes(prefixes) => prefixes.as_slice(),
                _ => &[],
            });
        let Some(first) = prefixes.next() else { return Ok(()) };
        if prefixes.all(|net| net.addr().is_ipv4() == first.addr().is_ipv4()) {
            return Ok(());
        }
        Err(RuleError::MixedFamilies { rule: self.rule.to_owned() })
    }

    fn missing(&self, parameters: &'static str) -> RuleError {
        RuleError::ParametersMissing { rule: self.rule.to_owned(), parameters }
    }

    fn not_a_prefix(&self, value: &str) -> RuleError {
        RuleError::AddressPrefix { rule: self.rule.to_owned(), value: value.to_owned() }
    }
}
