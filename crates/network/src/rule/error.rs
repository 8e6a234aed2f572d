//! Why Azure refuses a rule, in its own codes and words. The texts were quoted by
//! users of the real service; where only the code is known the text says what is
//! wrong in the same manner.

use thiserror::Error;

/// A rule that Azure answers with HTTP status 400.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// The name has characters or a length that resource names cannot have.
    #[error(
        "Resource name {name} is invalid. The name can be up to 80 characters long. It \
         must begin with a word character, and it must end with a word character or \
         with '_'. The name may contain word characters or '.', '-', '_'."
    )]
    Name {
        /// The name as given.
        name: String,
    },
    /// A field is absent, has the wrong type or a value outside its enumeration.
    #[error("Cannot parse the request. Security rule {rule}: {field} {problem}.")]
    Unparsable {
        /// The rule's id or name.
        rule: String,
        /// The JSON field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The priority is outside 100 to 4096.
    #[error(
        "Security rule has invalid Priority. Value provided: {value} Allowed range \
         100-4096."
    )]
    Priority {
        /// The priority as given.
        value: i64,
    },
    /// Two rules of one direction have the same priority.
    #[error(
        "Security rule {first} conflicts with rule {second}. Rules cannot have the same \
         Priority and Direction."
    )]
    Conflict {
        /// The rule that was there first.
        first: String,
        /// The one that came after it.
        second: String,
    },
    /// Not a port and not a range of ports.
    #[error(
        "Security rule has invalid Port range. Value provided: {value}. Value should be \
         an integer OR integer range with '-' delimiter. Valid range 0-65535."
    )]
    PortRange {
        /// The range as given.
        value: String,
    },
    /// Not an address, a CIDR block without host bits, `*` or a service tag.
    #[error("Security rule {rule} has invalid Address prefix. Value provided: {value}")]
    AddressPrefix {
        /// The rule's id or name.
        rule: String,
        /// The prefix as given.
        value: String,
    },
    /// A tag or `*` in the plural field, which takes addresses and blocks only.
    #[error(
        "Security rule parameter {parameter} for rule with Id {rule} cannot specify \
         existing VIRTUALNETWORK, INTERNET, AZURELOADBALANCER, '*' or system tags. \
         Unsupported value used: {value}."
    )]
    UnsupportedValue {
        /// `SourceAddressPrefix` or `DestinationAddressPrefix`.
        parameter: &'static str,
        /// The rule's id or name.
        rule: String,
        /// The value as given.
        value: String,
    },
    /// IPv4 and IPv6 prefixes in one rule.
    #[error(
        "Security rule {rule} cannot contain address prefixes from different address \
         families."
    )]
    MixedFamilies {
        /// The rule's id or name.
        rule: String,
    },
    /// A side of the rule says nothing about addresses or about ports.
    #[error(
        "Required security rule parameters are missing for security rule with Id: \
         {rule}. Security rule must specify {parameters}."
    )]
    ParametersMissing {
        /// The rule's id or name.
        rule: String,
        /// The parameters of which one is needed.
        parameters: &'static str,
    },
}

impl RuleError {
    /// Azure's error code.
    pub fn code(&self) -> &'static str {
        match self {
            RuleError::Name { .. } => "InvalidResourceName",
            RuleError::Unparsable { .. } => "InvalidRequestFormat",
            RuleError::Priority { .. } => "SecurityRuleInvalidPriority",
            RuleError::Conflict { .. } => "SecurityRuleConflict",
            RuleError::PortRange { .. } => "SecurityRuleInvalidPortRange",
            RuleError::AddressPrefix { .. } => "SecurityRuleInvalidAddressPrefix",
            RuleError::UnsupportedValue { .. } => {
                "SecurityRuleParameterContainsUnsupportedValue"
            }
            RuleError::MixedFamilies { .. } => {
                "ResourceCannotContainAddressPrefixesFromDifferentAddressFamilies"
            }
            RuleError::ParametersMissing { .. } => "SecurityRuleParametersMissing",
        }
    }
}
