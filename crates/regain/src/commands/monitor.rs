//! `monitor activity-log list`: what happened, newest first.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use serde_json::Value;

use crate::api;
use crate::args::monitor::{ActivityLog, List, Monitor};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

const INSIGHTS: &str = "2015-04-01";
const EVENTS: &str = "providers/Microsoft.Insights/eventtypes/management/values";

pub(super) async fn run(monitor: Monitor, context: &Context) -> Result<Answer, Failure> {
    let Monitor::ActivityLog(ActivityLog::List(args)) = monitor;
    list(args, context).await
}

async fn list(args: List, context: &Context) -> Result<Answer, Failure> {
    let filter = filter(&args, Timestamp::now())?;
    let session = context.sign_in().await?;
    let mut path = format!(
        "{}&$filter={}",
        api::below(&session.scope(None)?, EVENTS, INSIGHTS),
        api::encoded(&filter)
    );
    if !args.select.is_empty() {
        path = format!("{path}&$select={}", api::encoded(&args.select.join(" , ")));
    }
    let mut events = session.client.list(&path).await?;
    events.truncate(args.max_events);
    Ok(Answer::new(flat(Value::Array(events))))
}

/// The times, and what is asked for beyond them. Of the first four only the
/// first that is given counts, as in az.
fn filter(args: &List, now: Timestamp) -> Result<String, Failure> {
    let offset = period(&args.offset)?;
    let (start, end) = match (&args.start_time, &args.end_time) {
        (Some(start), Some(end)) => (start.clone(), end.clone()),
        (Some(start), None) => (start.clone(), written(read(start)?, offset)?),
        (None, Some(end)) => (written(read(end)?, -offset)?, end.clone()),
        (None, None) => (written(now, -offset)?, written(now, SignedDuration::ZERO)?),
    };
    let mut filter = format!("eventTimestamp ge {start} and eventTimestamp le {end}");
    let mut and = |key: &str, value: &Option<String>| {
        if let Some(value) = value {
            filter = format!("{filter} and {key} eq '{value}'");
        }
        value.is_some()
    };
    let _first = and("correlationId", &args.correlation_id)
        || and("resourceGroupName", &args.group)
        || and("resourceId", &args.resource_id)
        || and("resourceProvider", &args.namespace);
    and("caller", &args.caller);
    and("status", &args.status);
    Ok(filter)
}

fn written(time: Timestamp, offset: SignedDuration) -> Result<String, Failure> {
    let time = time
        .checked_add(offset)
        .map_err(|error| Failure::new("that time is out of range").because(error))?;
    Ok(time.to_zoned(TimeZone::UTC).datetime().to_string())
}

/// A time with a zone, or one of UTC without.
fn read(text: &str) -> Result<Timestamp, Failure> {
    let text = text.trim();
    text.parse::<Timestamp>()
        .or_else(|_| {
            text.replace(' ', "T")
                .parse::<civil::DateTime>()
                .and_then(|time| time.to_zoned(TimeZone::UTC))
                .map(|zoned| zoned.timestamp())
        })
        .map_err(|error| {
            Failure::usage(format!(
                "'{text}' is not a time; write it as 2026-01-31T12:00:00"
            ))
            .because(error)
        })
}

/// `1d2h`, `30m`.
fn period(text: &str) -> Result<SignedDuration, Failure> {
    let wrong = || {
        Failure::usage(format!(
            "'{text}' is not a period; write it in ##d##h format, as 1d12h"
        ))
    };
    let mut total = 0_i64;
    let mut digits = String::new();
    for character in text.to_lowercase().chars() {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        let seconds = match character {
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return Err(wrong()),
        };
        let count: i64 = digits.parse().map_err(|_| wrong())?;
        total = count
            .checked_mul(seconds)
            .and_then(|more| total.checked_add(more))
            .ok_or_else(wrong)?;
        digits.clear();
    }
    if digits.is_empty() { Ok(SignedDuration::from_secs(total)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn asked(flags: &str) -> String {
        let line = format!("regain monitor activity-log list {flags}");
        let Command::Monitor(Monitor::ActivityLog(ActivityLog::List(args))) =
            Cli::try_parse_from(line.split_whitespace()).unwrap().command
        else {
            panic!("{line}")
        };
        filter(&args, "2026-01-31T12:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn the_last_six_hours_unless_somebody_says_otherwise() {
        assert_eq!(
            asked(""),
            "eventTimestamp ge 2026-01-31T06:00:00 and eventTimestamp le 2026-01-31T12:00:00"
        );
        assert_eq!(
            asked("--start-time 2026-01-01T00:00:00 --offset 1d2h"),
            "eventTimestamp ge 2026-01-01T00:00:00 and eventTimestamp le 2026-01-02T02:00:00"
        );
    }

    #[test]
    fn a_filter_names_one_subject_and_who_and_how() {
        let filter = asked("-g lab --resource-id /x --caller me --status Failed");
        assert!(
            filter.ends_with(
                " and resourceGroupName eq 'lab' and caller eq 'me' and status eq 'Failed'"
            ),
            "{filter}"
        );
    }

    #[test]
    fn periods_are_days_and_hours() {
        assert_eq!(period("1d12h").unwrap(), SignedDuration::from_hours(36));
        for wrong in ["6", "h", "6x", "99999999999999999999d"] {
            assert!(period(wrong).is_err(), "{wrong}");
        }
    }
}
