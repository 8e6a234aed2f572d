//! The activity log as ARM shows it: filtered, paged, the newest event first.

use std::sync::Arc;

use arm::ResourceId;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::app::access::covers;
use crate::app::odata::{self, Term};
use crate::app::{Answer, App, Call, Page, Problem};
use crate::store::{Event, Request};
use crate::weather::Client;

/// How many events are looked at together, whatever of them the filter lets through.
const CHUNK: i64 = 500;

/// HTTP's number for a word of [`status_word`](super::status_word) or of success.
fn status_number(word: &str) -> u16 {
    match word {
        "OK" => 200,
        "Created" => 201,
        "Accepted" => 202,
        "NoContent" => 204,
        "Unauthorized" => 401,
        "Forbidden" => 403,
        "NotFound" => 404,
        "MethodNotAllowed" => 405,
        "Conflict" => 409,
        "PreconditionFailed" => 412,
        "RequestEntityTooLarge" => 413,
        "InternalServerError" => 500,
        _ => 400,
    }
}

/// What a client wants to see.
#[derive(Default)]
struct Wanted {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    correlation: Option<String>,
    others: Vec<(String, String)>,
}

impl Wanted {
    fn read(filter: &str) -> Result<Self, Problem> {
        let mut wanted = Self::default();
        for term in odata::terms(filter)? {
            let Term::Compare(field, operator, value) = term else {
                return Err(odata::unsupported(
                    "events are filtered by comparisons joined by 'and'".to_owned(),
                ));
            };
            let field = field.to_ascii_lowercase();
            match (field.as_str(), operator.as_str()) {
                ("eventtimestamp", "ge" | "gt") => wanted.from = Some(time(&value)?),
                ("eventtimestamp", "le" | "lt") => wanted.to = Some(time(&value)?),
                ("correlationid", "eq") => wanted.correlation = Some(value),
                (
                    "resourcegroupname" | "resourceuri" | "resourceid"
                    | "resourceprovider" | "resourcetype" | "resourcetypes" | "status"
                    | "caller" | "levels" | "level" | "eventchannels" | "category"
                    | "operationname" | "operations" | "operationid",
                    "eq",
                ) => wanted.others.push((field, value)),
                _ => {
                    return Err(odata::unsupported(format!(
                        "'{field} {operator}' is not understood: events are filtered by \
                         eventTimestamp (ge, le) and resourceGroupName, resourceId, \
                         resourceProvider, correlationId, status, caller, levels (eq)"
                    )));
                }
            }
        }
        Ok(wanted)
    }

    fn wants(&self, event: &Event, id: Option<&ResourceId>) -> bool {
        let request = &event.request;
        let any = |list: &str, one: &str| {
            list.split(',').any(|wanted| wanted.trim().eq_ignore_ascii_case(one))
        };
        self.others.iter().all(|(field, value)| match field.as_str() {
            "resourcegroupname" => {
                let group = id.and_then(ResourceId::group).unwrap_or_default();
                group.eq_ignore_ascii_case(value)
            }
            "resourceuri" | "resourceid" => covers(
                &value.trim_end_matches('/').to_ascii_lowercase(),
                &request.resource.to_ascii_lowercase(),
            ),
            "resourceprovider" => any(value, provider(&request.action)),
            "resourcetype" | "resourcetypes" => any(value, kind(&request.action)),
            "status" => any(value, &event.status),
            "caller" => any(value, &request.caller) || any(value, &request.app_id),
            "levels" | "level" => any(value, level(event)),
            "category" => any(value, "Administrative"),
            "operationname" | "operations" => any(value, &request.action),
            "operationid" => any(value, &request.operation),
            // Administrative events are all that there are.
            _ => true,
        })
    }
}

/// A time as clients write it: RFC 3339, or the same without its zone, in UTC.
fn time(text: &str) -> Result<Timestamp, Problem> {
    let read = text.parse().or_else(|_| format!("{text}Z").parse::<Timestamp>());
    read.map_err(|_| {
        odata::unsupported(format!("'{text}' is not a time, as in 2026-01-31T12:00:00Z"))
    })
}

/// `GET …/providers/Microsoft.Insights/eventtypes/management/values`: what happened,
/// the newest first, as far as the caller may read it.
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let wanted = Wanted::read(call.parameter("$filter").unwrap_or_default())?;
    let select: Vec<String> = call
        .parameter("$select")
        .unwrap_or_default()
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let most = call.top(app.limits.page)?;
    let shown = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let from = wanted.from.map(shown).unwrap_or_default();
    let to = wanted.to.map_or_else(|| "9999".to_owned(), shown);
    let mut before =
        call.after.as_deref().and_then(|key| key.parse().ok()).unwrap_or(i64::MAX);
    let policy = app.access.policy();
    let read = "Microsoft.Insights/eventTypes/values/read";
    let mut items = Vec::new();
    loop {
        let correlation = wanted.correlation.as_deref();
        let chunk = app.store.events(before, (&from, &to), correlation, CHUNK).await?;
        for event in &chunk {
            let id = ResourceId::parse(&event.request.resource).ok();
            if wanted.wants(event, id.as_ref())
                && policy.allows(&call.caller.id, read, &event.request.resource)
            {
                if items.len() == most {
                    return Ok(Answer::Listed(Page {
                        items,
                        next: Some(before.to_string()),
                    }));
                }
                items.push(selected(self::shown(&app, event, id.as_ref()), &select));
            }
            before = event.sequence;
        }
        if chunk.is_empty() {
            return Ok(Answer::Listed(Page { items, next: None }));
        }
    }
}

/// `GET /providers/Microsoft.Insights/eventcategories`
pub(crate) async fn categories(_app: Arc<App>, _call: Call) -> Result<Answer, Problem> {
    Ok(Answer::Listed(Page::whole([spoken("Administrative")])))
}

fn selected(event: Value, names: &[String]) -> Value {
    match event {
        Value::Object(all) if !names.is_empty() => {
            let wanted =
                |name: &str| names.iter().any(|one| one.eq_ignore_ascii_case(name));
            Value::Object(
                all.into_iter().filter(|(name, _)| wanted(name)).collect::<Map<_, _>>(),
            )
        }
        event => event,
    }
}

fn provider(action: &str) -> &str {
    action.split('/').next().unwrap_or_default()
}

fn kind(action: &str) -> &str {
    let kind = action.rsplit_once('/').map_or(action, |(kind, _)| kind);
    // The name of an action on it is no part of a type.
    if action.ends_with("/action") {
        kind.rsplit_once('/').map_or(kind, |(kind, _)| kind)
    } else {
        kind
    }
}

fn level(event: &Event) -> &'static str {
    if event.status == "Failed" { "Error" } else { "Informational" }
}

fn spoken(value: &str) -> Value {
    json!({ "value": value, "localizedValue": value })
}

fn shown(app: &App, event: &Event, id: Option<&ResourceId>) -> Value {
    let request = &event.request;
    let (name, spoken_name) = match event.status.as_str() {
        "Started" => ("BeginRequest", "Begin request"),
        _ => ("EndRequest", "End request"),
    };
    let ticks = ticks(&event.time);
    let sub_status = match event.sub_status.as_str() {
        "" => json!({ "value": "", "localizedValue": "" }),
        word => json!({
            "value": word,
            "localizedValue": format!("{word} (HTTP Status Code: {})", status_number(word)),
        }),
    };
    let mut properties = json!({
        "eventCategory": "Administrative",
        "entity": request.resource,
        "message": request.action,
        "hierarchy": app.subscription,
    });
    if !event.sub_status.is_empty() {
        properties["statusCode"] = json!(event.sub_status);
        properties["serviceRequestId"] = Value::Null;
    }
    if let Some((code, message)) = &event.error {
        let message = message.as_deref().unwrap_or(code);
        let told = json!({ "error": { "code": code, "message": message } });
        properties["statusMessage"] = json!(told.to_string());
    }
    json!({
        "authorization": { "action": request.action, "scope": request.resource },
        "caller": request.caller,
        "channels": "Operation",
        "claims": {
            "appid": request.app_id,
            "idtyp": "app",
            "http://schemas.microsoft.com/identity/claims/objectidentifier": request.caller,
            "http://schemas.microsoft.com/identity/claims/tenantid": app.tenant,
        },
        "correlationId": request.correlation,
        "description": "",
        "eventDataId": event.id,
        "eventName": { "value": name, "localizedValue": spoken_name },
        "category": spoken("Administrative"),
        "eventTimestamp": event.time,
        "id": format!("{}/events/{}/ticks/{ticks}", request.resource, event.id),
        "level": level(event),
        "operationId": request.operation,
        "operationName": spoken(&request.action),
        "resourceGroupName": id.and_then(ResourceId::group).unwrap_or_default(),
        "resourceProviderName": spoken(provider(&request.action)),
        "resourceType": spoken(kind(&request.action)),
        "resourceId": request.resource,
        "status": spoken(&event.status),
        "subStatus": sub_status,
        "submissionTimestamp": event.time,
        "subscriptionId": app.subscription,
        "tenantId": app.tenant,
        "httpRequest": http_request(app, request),
        "properties": properties,
    })
}

/// The request as HTTP has it. What is on record of its sender is shown as the weather
/// has it now, also of older entries: nothing is to tell what it hides.
fn http_request(app: &App, request: &Request) -> Value {
    let mut shown = json!({
        "clientRequestId": request.client_request,
        "method": request.method,
        "uri": request.uri,
    });
    match app.weather().client {
        Client::Known => shown["clientIpAddress"] = json!(request.client),
        Client::Unknown => {}
        Client::Elsewhere(address) => shown["clientIpAddress"] = json!(address),
    }
    shown
}

/// A time in the hundreds of nanoseconds since the year 1 that ids of events carry.
fn ticks(time: &str) -> i128 {
    const TO_1970: i128 = 621_355_968_000_000_000;
    time.parse::<Timestamp>().map_or(0, |time| TO_1970 + time.as_nanosecond() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_a_zone() {
        let there = time("2026-11-22T10:00:00Z").unwrap();
        assert_eq!(time("2026-11-22T10:00:00.000000").unwrap(), there);
        assert_eq!(time("2026-11-22T11:00:00+01:00").unwrap(), there);
        assert!(time("yesterday").is_err());
    }

    #[test]
    fn an_action_tells_its_type() {
        assert_eq!(
            kind("Microsoft.Compute/virtualMachines/restart/action"),
            "Microsoft.Compute/virtualMachines"
        );
        assert_eq!(
            kind("Microsoft.Network/routeTables/routes/write"),
            "Microsoft.Network/routeTables/routes"
        );
    }
}
