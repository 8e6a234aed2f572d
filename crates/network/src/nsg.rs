//! A network security group: custom rules and the six default ones, one list per
//! direction, in the order in which they are tried.

use serde_json::Value;

use crate::flow::Direction;
use crate::rule::{Rule, RuleError, Vocabulary, default_rules, read};

/// A network security group whose rules can be tried from first to last: within a
/// direction no two have the same priority, and the last one matches everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nsg {
    /// The resource id; decisions lead back to it.
    pub id: String,
    inbound: Vec<Rule>,
    outbound: Vec<Rule>,
}

impl Nsg {
    /// Puts custom rules and the default rules in order. `id` is the NSG's resource
    /// id.
    ///
    /// # Errors
    /// [`RuleError::Conflict`] if two rules share priority and direction; the one that
    /// comes first in `rules` is the one that was there first.
    pub fn new(
        id: impl Into<String>,
        rules: impl IntoIterator<Item = Rule>,
    ) -> Result<Nsg, RuleError> {
        let rules = rules.into_iter().chain(default_rules());
        let (inbound, outbound) =
            rules.partition(|rule| rule.direction == Direction::Inbound);
        Ok(Nsg {
            id: id.into(),
            inbound: ordered(inbound)?,
            outbound: ordered(outbound)?,
        })
    }

    /// Reads an NSG as a GET returns it (`id`, `properties.securityRules[]`). Service
    /// tags that this crate does not know are kept: Azure has accepted them.
    ///
    /// # Errors
    /// A rule that cannot be understood, as [`Rule::from_arm`] would report it.
    pub fn from_arm(document: &Value) -> Result<Nsg, RuleError> {
        let text = |value: &Value, field: &str| {
            value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let rules: Vec<Rule> = document
            .pointer("/properties/securityRules")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|rule| {
                let properties = rule.get("properties").unwrap_or(&Value::Null);
                read(&text(rule, "name"), properties, Vocabulary::Open)
            })
            .collect::<Result<_, _>>()?;
        Nsg::new(text(document, "id"), rules)
    }

    /// The rules of one direction, custom and default, in the order in which they are
    /// tried.
    pub fn rules(&self, direction: Direction) -> &[Rule] {
        match direction {
            Direction::Inbound => &self.inbound,
            Direction::Outbound => &self.outbound,
        }
    }
}

/// Rules by priority. The sort is stable, so of two with one priority the earlier
/// comes first, and the error names them in that order.
fn ordered(mut rules: Vec<Rule>) -> Result<Vec<Rule>, RuleError> {
    rules.sort_by_key(|rule| rule.priority);
    match rules.windows(2).find(|pair| pair[0].priority == pair[1].priority) {
        Some(pair) => Err(RuleError::Conflict {
            first: pair[0].name.clone(),
            second: pair[1].name.clone(),
        }),
        None => Ok(rules),
    }
}
