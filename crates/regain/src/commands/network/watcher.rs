//! `network watcher`: questions to the watcher of a resource's region.

use arm::{Method, ResourceId};
use serde_json::{Map, Value, json};

use crate::api::{self, COMPUTE};
use crate::args::network::watcher::{
    NetworkWatcher, RunConfigurationDiagnostic, ShowNextHop, TestConnectivity,
    TestIpFlow, Vm, Watcher,
};
use crate::args::noun::Noun;
use crate::commands::noun::{self, Properties};
use crate::commands::provider;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;
use crate::shape::flat;

pub(super) async fn run(watcher: Watcher, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    match watcher {
        Watcher::List => Ok(Answer::new(flat(Value::Array(all(&session).await?)))),
        Watcher::TestIpFlow(args) => test_ip_flow(args, &session).await,
        Watcher::ShowNextHop(args) => show_next_hop(args, &session).await,
        Watcher::ShowSecurityGroupView(args) => {
            let (id, location) =
                vm(&args.vm.vm, args.vm.group.as_deref(), &session).await?;
            let body = json!({ "targetResourceId": id });
            ask(&session, &location, "securityGroupView", &body, args.vm.wait.no_wait)
                .await
        }
        Watcher::TestConnectivity(args) => test_connectivity(args, &session).await,
        Watcher::RunConfigurationDiagnostic(args) => diagnose(args, &session).await,
    }
}

async fn test_ip_flow(args: TestIpFlow, session: &Session) -> Result<Answer, Failure> {
    let split = |end: &str| {
        end.split_once(':').map(|(address, port)| (address.to_owned(), port.to_owned())).ok_or_else(|| {
            Failure::new(
                "usage error: the format of the '--local' and '--remote' should be like \
                 x.x.x.x:port",
            )
        })
    };
    let (local, local_port) = split(&args.local)?;
    let (remote, remote_port) = split(&args.remote)?;
    let Vm { vm: name, group, wait } = args.vm;
    let (id, location) = vm(&name, group.as_deref(), session).await?;
    let body = Properties::default()
        .with("direction", Some(args.direction))
        .with("localIPAddress", Some(local))
        .with("localPort", Some(local_port))
        .with("protocol", Some(args.protocol))
        .with("remoteIPAddress", Some(remote))
        .with("remotePort", Some(remote_port))
        .with("targetNicResourceId", nic(session, group.as_deref(), args.nic.as_deref()))
        .with("targetResourceId", Some(id.to_string()));
    ask(session, &location, "ipFlowVerify", &body.into(), wait.no_wait).await
}

async fn show_next_hop(args: ShowNextHop, session: &Session) -> Result<Answer, Failure> {
    let Vm { vm: name, group, wait } = args.vm;
    let (id, location) = vm(&name, group.as_deref(), session).await?;
    let body = Properties::default()
        .with("destinationIPAddress", Some(args.dest_ip))
        .with("sourceIPAddress", Some(args.source_ip))
        .with("targetNicResourceId", nic(session, group.as_deref(), args.nic.as_deref()))
        .with("targetResourceId", Some(id.to_string()));
    ask(session, &location, "nextHop", &body.into(), wait.no_wait).await
}

async fn test_connectivity(
    args: TestConnectivity,
    session: &Session,
) -> Result<Answer, Failure> {
    let group = args.group.as_deref();
    if group.is_none() && !args.source_resource.starts_with('/') {
        return Err(Failure::new(
            "usage error: --source-resource ID | --source-resource NAME --resource-group NAME",
        ));
    }
    let (source, location) = vm(&args.source_resource, group, session).await?;
    let target = match args.dest_resource.as_deref() {
        Some(name) => Some(vm_id(name, group, session)?.to_string()),
        None => None,
    };
    let http = http(&args);
    let source = Properties::default()
        .with("port", args.source_port)
        .with("resourceId", Some(source.to_string()));
    let destination = Properties::default()
        .with("address", args.dest_address)
        .with("port", args.dest_port)
        .with("resourceId", target);
    let body = Properties::default()
        .with("destination", Some(destination))
        .with("protocol", args.protocol)
        .with("protocolConfiguration", http)
        .with("source", Some(source));
    ask(session, &location, "connectivityCheck", &body.into(), args.wait.no_wait).await
}

/// How HTTP is asked for, if anything is said about it.
fn http(args: &TestConnectivity) -> Option<Value> {
    let headers: Vec<Value> = args
        .headers
        .iter()
        .filter_map(|header| header.split_once('='))
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let codes = &args.valid_status_codes;
    let mut http = Map::new();
    if !headers.is_empty() {
        http.insert("headers".to_owned(), headers.into());
    }
    if let Some(method) = &args.method {
        http.insert("method".to_owned(), method.as_str().into());
    }
    if !codes.is_empty() {
        http.insert("validStatusCodes".to_owned(), codes.as_slice().into());
    }
    (!http.is_empty()).then(|| json!({ "HTTPConfiguration": http }))
}

async fn diagnose(
    args: RunConfigurationDiagnostic,
    session: &Session,
) -> Result<Answer, Failure> {
    let id = target(&args, session)?;
    let queries = queries(&args)?;
    let version = provider::version(session, &id, false).await?;
    let resource = session.client.get(&api::path(&id, &version)).await?;
    let location = resource["location"].as_str().unwrap_or_default();
    let body = json!({ "profiles": queries, "targetResourceId": id });
    ask(session, location, "networkConfigurationDiagnostic", &body, args.wait.no_wait)
        .await
}

fn target(
    args: &RunConfigurationDiagnostic,
    session: &Session,
) -> Result<ResourceId, Failure> {
    let usage = || {
        Failure::new(
            "usage error: --resource ID | --resource NAME --resource-type TYPE \
             --resource-group NAME [--parent PATH]",
        )
    };
    let RunConfigurationDiagnostic { resource, resource_type, group, parent, .. } = args;
    if let Ok(id) = ResourceId::parse(resource) {
        let more = resource_type.is_some() || group.is_some() || parent.is_some();
        return if more { Err(usage()) } else { Ok(id) };
    }
    let (Some(kind), Some(group)) = (resource_type, group) else { return Err(usage()) };
    if let Some(parent) = parent {
        let text = format!(
            "{}/providers/Microsoft.Compute/{parent}/{kind}/{resource}",
            session.group(group)?
        );
        return ResourceId::parse(&text).map_err(|_| usage());
    }
    let namespace =
        if kind == "virtualMachines" { "Microsoft.Compute" } else { "Microsoft.Network" };
    session.resource(group, &format!("{namespace}/{kind}"), resource)
}

fn queries(args: &RunConfigurationDiagnostic) -> Result<Value, Failure> {
    let usage = || {
        Failure::new(
            "usage error: --queries JSON | --destination DEST --source SRC --direction DIR \
             --port PORT --protocol PROTOCOL",
        )
    };
    let RunConfigurationDiagnostic {
        destination, port, direction, protocol, source, ..
    } = args;
    let flags = [destination, port, direction, protocol, source];
    if let Some(words) = &args.queries {
        if flags.iter().any(|flag| flag.is_some()) {
            return Err(usage());
        }
        return crate::file_or_text::json(&words.join(" "), "--queries");
    }
    if flags.iter().any(|flag| flag.is_none()) {
        return Err(usage());
    }
    Ok(json!([{
        "destination": destination, "destinationPort": port, "direction": direction,
        "protocol": protocol, "source": source,
    }]))
}

/// Asks the watcher of a region.
async fn ask(
    session: &Session,
    location: &str,
    question: &str,
    body: &Value,
    no_wait: bool,
) -> Result<Answer, Failure> {
    let watchers = all(session).await?;
    let here = watchers
        .iter()
        .find(|watcher| {
            watcher["location"]
                .as_str()
                .is_some_and(|at| at.eq_ignore_ascii_case(location))
        })
        .and_then(|watcher| ResourceId::parse(watcher["id"].as_str()?).ok())
        .ok_or_else(|| {
            Failure::new(format!("network watcher is not enabled for region {location}."))
        })?;
    let path = api::below(&here, question, NetworkWatcher::VERSION);
    Ok(Answer::new(flat(
        noun::begin(session, Method::POST, &path, Some(body), no_wait).await?,
    )))
}

async fn all(session: &Session) -> Result<Vec<Value>, Failure> {
    let scope = session.scope(None)?;
    let path = api::below(
        &scope,
        &format!("providers/{}", NetworkWatcher::TYPE),
        NetworkWatcher::VERSION,
    );
    Ok(session.client.list(&path).await?)
}

/// A VM's id and where it is.
async fn vm(
    name: &str,
    group: Option<&str>,
    session: &Session,
) -> Result<(ResourceId, String), Failure> {
    let id = vm_id(name, group, session)?;
    let vm = session.client.get(&api::path(&id, COMPUTE)).await?;
    Ok((id, vm["location"].as_str().unwrap_or_default().to_owned()))
}

fn vm_id(
    name: &str,
    group: Option<&str>,
    session: &Session,
) -> Result<ResourceId, Failure> {
    match ResourceId::parse(name) {
        Ok(id) => Ok(id),
        Err(_) => session.vm(
            group.ok_or_else(|| {
                Failure::usage(format!(
                    "'{name}' is a name: say its --resource-group too"
                ))
            })?,
            name,
        ),
    }
}

fn nic(session: &Session, group: Option<&str>, name: Option<&str>) -> Option<String> {
    let kind = "Microsoft.Network/networkInterfaces";
    let id = noun::reference(session, group.unwrap_or_default(), kind, name?);
    id["id"].as_str().map(str::to_owned)
}
