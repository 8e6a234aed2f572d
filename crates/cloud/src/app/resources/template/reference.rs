//! `reference()`: the state of another resource, and which resources a value needs.

use arm::ResourceId;
use serde_json::Value;

use super::expression::{self, Expression, Written};
use super::scope::{Fault, Frame, Scope};
use crate::store::key_of;

impl Scope<'_> {
    /// What `reference()` gives.
    pub(super) fn reference(
        &self,
        of: &str,
        full: bool,
        frame: Frame<'_>,
        place: &str,
    ) -> Result<Value, Fault> {
        if !frame.references {
            return Err(Fault::new(
                place,
                "reference() is allowed in the properties of resources and in outputs only",
            ));
        }
        let id = self.referred(of).ok_or_else(|| {
            Fault::new(
                place,
                format!(
                    "reference(): '{of}' is neither a resource of the template nor an id"
                ),
            )
        })?;
        let state =
            self.states.get(&key_of(&id)).ok_or_else(|| Fault::Needs(id.clone()))?;
        Ok(if full { state.clone() } else { state["properties"].clone() })
    }

    /// The resource that `reference()` means.
    fn referred(&self, of: &str) -> Option<ResourceId> {
        let named = self.known.iter().find(|(name, _)| name.eq_ignore_ascii_case(of));
        named.map(|(_, id)| id.clone()).or_else(|| ResourceId::parse(of).ok())
    }

    /// The resources that the references within a value mean, as far as that can be
    /// told before anything is made.
    pub(super) fn referred_in(&self, value: &Value, frame: Frame<'_>) -> Vec<ResourceId> {
        let mut found = Vec::new();
        match value {
            Value::String(text) => {
                if let Ok(Written::Expression(expression)) = expression::read(text) {
                    self.collect(&expression, frame, &mut found);
                }
            }
            Value::Array(all) => {
                found.extend(all.iter().flat_map(|one| self.referred_in(one, frame)));
            }
            Value::Object(all) => {
                found.extend(all.values().flat_map(|one| self.referred_in(one, frame)));
            }
            _ => {}
        }
        found
    }

    fn collect(
        &self,
        expression: &Expression,
        frame: Frame<'_>,
        found: &mut Vec<ResourceId>,
    ) {
        match expression {
            Expression::Text(_) | Expression::Number(_) => {}
            Expression::Property(of, _) => self.collect(of, frame, found),
            Expression::Element(of, index) => {
                self.collect(of, frame, found);
                self.collect(index, frame, found);
            }
            Expression::Call(name, arguments) => {
                if name == "reference"
                    && let Some(first) = arguments.first()
                    && let Ok(Value::String(of)) = self.evaluate(first, frame, "")
                {
                    found.extend(self.referred(&of));
                }
                for argument in arguments {
                    self.collect(argument, frame, found);
                }
            }
        }
    }
}
