//! `vm extension image list`: publishers, their extensions, their versions.

use arm::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::api::EXTENSION;
use crate::args::vm::ListImages;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;

/// Azure has thousands of publishers; more at once only makes ARM throttle.
const AT_ONCE: usize = 16;

/// Which extensions are looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) publisher: Option<String>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) latest: bool,
    /// Whole names, not parts of them.
    pub(super) whole: bool,
}

pub(super) async fn run(args: ListImages, context: &Context) -> Result<Answer, Failure> {
    let wanted = Wanted {
        publisher: args.publisher,
        name: args.name,
        version: args.version,
        latest: args.latest,
        whole: false,
    };
    let session = context.sign_in().await?;
    let location = match args.location {
        Some(location) => location,
        None => some_location(&session).await?,
    };
    Ok(Answer::new(Value::Array(list(&session, &location, &wanted).await?)))
}

/// az's choice: westus if there is one, else the first.
async fn some_location(session: &Session) -> Result<String, Failure> {
    let path = format!(
        "/subscriptions/{}/locations?api-version=2022-12-01",
        session.subscription
    );
    let locations = session.client.list(&path).await?;
    let name = |location: &Value| location["name"].as_str().map(str::to_owned);
    let mut names = locations.iter().filter_map(name);
    let first = names.next();
    match names.find(|name| name == "westus").or(first) {
        Some(name) => Ok(name),
        None => Err(Failure::not_found("this subscription has no location")
            .next("name one with --location")),
    }
}

/// What is there, as az lists it.
pub(super) async fn list(
    session: &Session,
    location: &str,
    wanted: &Wanted,
) -> Result<Vec<Value>, Failure> {
    let base = format!(
        "/subscriptions/{}/providers/Microsoft.Compute/locations/{location}/publishers",
        session.subscription
    );
    let publishers = names(&session.client, &base).await?;
    let mut waiting = publishers
        .into_iter()
        .filter(|name| wanted.matches(wanted.publisher.as_ref(), name))
        .enumerate();
    let mut under_way = JoinSet::new();
    let mut found = Vec::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some((at, publisher)) = waiting.next()
        {
            let (client, base, wanted) =
                (session.client.clone(), base.clone(), wanted.clone());
            under_way.spawn(async move {
                (at, of_publisher(&client, &base, &publisher, &wanted).await)
            });
        }
        match under_way.join_next().await {
            None => break,
            Some(Ok((at, images))) => found.push((at, images?)),
            Some(Err(lost)) => return Err(Failure::new("a task was lost").because(lost)),
        }
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().flat_map(|(_, images)| images).collect())
}

async fn of_publisher(
    client: &Client,
    base: &str,
    publisher: &str,
    wanted: &Wanted,
) -> Result<Vec<Value>, Failure> {
    let types = format!("{base}/{publisher}/artifacttypes/vmextension/types");
    let mut images = Vec::new();
    for name in names(client, &types).await? {
        if !wanted.matches(wanted.name.as_ref(), &name) {
            continue;
        }
        let mut versions = names(client, &format!("{types}/{name}/versions")).await?;
        versions.retain(|version| wanted.matches(wanted.version.as_ref(), version));
        if wanted.latest {
            versions.sort_by_key(|version| std::cmp::Reverse(numbers(version)));
            versions.truncate(1);
        }
        for version in versions {
            images.push(
                json!({ "publisher": publisher, "name": name, "version": version }),
            );
        }
    }
    Ok(images)
}

/// The names of a list; none if there is no such list, which not every
/// publisher of images has.
async fn names(client: &Client, path: &str) -> Result<Vec<String>, Failure> {
    match client.list(&format!("{path}?api-version={EXTENSION}")).await {
        Ok(items) => Ok(items
            .iter()
            .filter_map(|item| item["name"].as_str().map(str::to_owned))
            .collect()),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// `1.10.2` is later than `1.9`.
fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

impl Wanted {
    fn matches(&self, pattern: Option<&String>, name: &str) -> bool {
        let Some(pattern) = pattern else { return true };
        let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
        if self.whole { pattern == name } else { name.contains(&pattern) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_part_or_whole() {
        let pattern = Some("vmaccess".to_owned());
        let mut wanted = Wanted::default();
        assert!(wanted.matches(pattern.as_ref(), "VMAccessForLinux"));
        wanted.whole = true;
        assert!(!wanted.matches(pattern.as_ref(), "VMAccessForLinux"));
        assert!(wanted.matches(None, "anything"));
    }

    #[test]
    fn versions_are_numbers() {
        assert!(numbers("1.10.2") > numbers("1.9"));
    }
}
