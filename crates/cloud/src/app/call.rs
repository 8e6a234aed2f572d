//! One request and its answer, free of transport.

use std::collections::BTreeMap;

use arm::ResourceId;
use serde_json::{Map, Value};

use super::journal::Ticket;
use super::{Caller, Problem};

/// A request that is authenticated and well-formed.
#[derive(Debug)]
pub(crate) struct Call {
    /// Who asks.
    pub(crate) caller: Caller,
    /// What it is about: the path up to its last name. For a collection that is
    /// what the collection is in, for an action what it is done to.
    pub(crate) id: ResourceId,
    /// What the path has after that.
    pub(crate) rest: Vec<String>,
    /// The query, names in lower case.
    pub(crate) query: BTreeMap<String, String>,
    /// The body, if there was one.
    pub(crate) body: Option<Value>,
    /// `If-Match`: write only over this etag.
    pub(crate) if_match: Option<String>,
    /// `If-None-Match: *`: write only where nothing is.
    pub(crate) if_none_match: bool,
    /// Where the last page of a list ended: the key of its last item.
    pub(crate) after: Option<String>,
}

impl Call {
    /// A request that the server makes of itself.
    pub(crate) fn inner(caller: &Caller, id: ResourceId, body: Option<Value>) -> Self {
        Self {
            caller: Caller::clone(caller),
            id,
            rest: Vec::new(),
            query: BTreeMap::new(),
            body,
            if_match: None,
            if_none_match: false,
            after: None,
        }
    }

    /// The body, which must be a JSON object.
    pub(crate) fn object(&self) -> Result<&Map<String, Value>, Problem> {
        self.body.as_ref().and_then(Value::as_object).ok_or_else(|| {
            Problem::InvalidContent { why: "A JSON object is expected.".to_owned() }
        })
    }

    /// Whether the instance view was asked for.
    pub(crate) fn expands_instance_view(&self) -> bool {
        self.query.get("$expand").is_some_and(|parts| {
            parts.split(',').any(|p| p.eq_ignore_ascii_case("instanceView"))
        })
    }

    /// How many items a page may have: `$top`, if it is less than `most`.
    pub(crate) fn top(&self, most: usize) -> Result<usize, Problem> {
        let Some(asked) = self.parameter("$top") else { return Ok(most) };
        match asked.parse::<usize>() {
            Ok(count @ 1..) => Ok(count.min(most)),
            _ => Err(Problem::parameter(
                "$top",
                format!("'{asked}' is not valid for $top: a number from 1 is expected."),
            )),
        }
    }

    /// One query parameter; its name in lower case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its items.
    pub(crate) items: Vec<Value>,
    /// The key of its last item, if others follow.
    pub(crate) next: Option<String>,
}

/// What is answered when all went well.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Here it is.
    Found(Value),
    /// One page of a list.
    Listed(Page),
    /// It is there now, and was not before.
    Created(Value),
    /// Done; there is nothing to show.
    Done,
    /// There was nothing to do, or it exists and that was the question.
    Nothing,
    /// It is being written: the resource as it stands, and where to ask.
    Writing {
        /// The resource.
        body: Value,
        /// Whether it is new.
        created: bool,
        /// Where to ask.
        ticket: Ticket,
    },
    /// It is being done.
    Accepted(Ticket),
    /// It is still being done; this is how far it is.
    Underway(Value),
}
