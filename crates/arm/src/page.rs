//! Paging: a collection is `{"value":[…],"nextLink":…}` until nothing is next.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::Value;

use crate::{Client, Error};

/// More pages than this is a server that goes round in circles.
const MOST_PAGES: usize = 10_000;

pub(crate) async fn all(client: &Client, path: &str) -> Result<Vec<Value>, Error> {
    let mut items = Vec::new();
    let mut next = path.to_owned();
    let mut seen = HashSet::new();
    for _ in 0..MOST_PAGES {
        let protocol = |why: &str| Error::Protocol {
            request: format!("GET {}", next.split('?').next().unwrap_or_default()),
            why: why.to_owned(),
        };
        if !seen.insert(next.clone()) {
            return Err(protocol("its pages go round in circles"));
        }
        let page = client.request(&Method::GET, &next, None).await?.1;
        match page {
            // Image and publisher lists are bare arrays.
            Value::Array(value) => {
                items.extend(value);
                return Ok(items);
            }
            Value::Object(mut page) => {
                let Some(Value::Array(value)) = page.remove("value") else {
                    return Err(protocol("it is not a collection"));
                };
                // An empty page with a next one is legal.
                items.extend(value);
                match page.remove("nextLink") {
                    Some(Value::String(link)) if !link.is_empty() => next = link,
                    _ => return Ok(items),
                }
            }
            _ => return Err(protocol("it is not a collection")),
        }
    }
    Err(Error::Protocol {
        request: format!("GET {path}"),
        why: format!("it has more than {MOST_PAGES} pages"),
    })
}
