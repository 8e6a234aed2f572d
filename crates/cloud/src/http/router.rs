//! The table: which path is which noun's.
//!
//! Paths are in lower case (see [`path`](super::path)). A call's id is the path up
//! to its last placeholder: the item itself, what a collection is in, or what an
//! action is done to.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{self, MethodRouter};
use axum::{Json, Router};
use http_method::{DELETE, GET, HEAD, PATCH, POST, PUT};

use super::path::Spelling;
use super::token::{self, Tokens};
use super::{call, envelope, metadata};
use crate::app::{
    Answer, App, Call, Problem, boot_diagnostics, deployment, effective, extension,
    image, instance_view, journal, network_interface, network_security_group,
    network_watcher, power, public_ip_address, resource_group, route_table, run_command,
    subscription, virtual_machine, virtual_network,
};

mod http_method {
    //! The verbs of the table.
    use axum::routing::MethodFilter;
    pub(super) const GET: MethodFilter = MethodFilter::GET;
    pub(super) const HEAD: MethodFilter = MethodFilter::HEAD;
    pub(super) const PUT: MethodFilter = MethodFilter::PUT;
    pub(super) const PATCH: MethodFilter = MethodFilter::PATCH;
    pub(super) const POST: MethodFilter = MethodFilter::POST;
    pub(super) const DELETE: MethodFilter = MethodFilter::DELETE;
}

/// Everything that the server answers on its own address.
pub(super) fn router(app: Arc<App>, tokens: Arc<Tokens>) -> Router {
    let public = Router::new()
        .route("/metadata/endpoints", routing::get(metadata::endpoints))
        .route("/aliases.json", routing::get(metadata::aliases))
        .route("/blob/{machine}/serialconsole.log", routing::get(metadata::serial_log))
        .with_state(Arc::clone(&app));
    let sign_in = Router::new()
        .route("/adfs/.well-known/openid-configuration", routing::get(token::discovery))
        .route("/adfs/discovery/keys", routing::get(token::keys))
        .route("/adfs/oauth2/token", routing::post(token::token))
        .route("/{tenant}/oauth2/token", routing::post(token::token))
        .route("/{tenant}/oauth2/v2.0/token", routing::post(token::token))
        .with_state(Arc::clone(&tokens));
    let managed = arm()
        .with_state(app)
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(tokens, authenticate));
    public.merge(sign_in).merge(managed).layer(middleware::from_fn(envelope::wrap))
}

/// What needs a token.
fn arm() -> Router<Arc<App>> {
    let subscription = "/subscriptions/{subscription}";
    let group = &format!("{subscription}/resourcegroups/{{group}}");
    let compute = &format!("{group}/providers/microsoft.compute");
    let network = &format!("{group}/providers/microsoft.network");
    let vm = &format!("{compute}/virtualmachines/{{vm}}");
    let nic = &format!("{network}/networkinterfaces/{{nic}}");
    let nsg = &format!("{network}/networksecuritygroups/{{nsg}}");
    let vnet = &format!("{network}/virtualnetworks/{{vnet}}");
    let table = &format!("{network}/routetables/{{table}}");
    let watcher = &format!("{network}/networkwatchers/{{watcher}}");
    let deployments = &format!("{group}/providers/microsoft.resources/deployments");
    let deployment = &format!("{deployments}/{{deployment}}");
    let everywhere = |kind: &str| format!("{subscription}/providers/{kind}");
    let location = &everywhere("microsoft.compute/locations/{location}");
    let publisher = &format!("{location}/publishers/{{publisher}}");
    let offer = &format!("{publisher}/artifacttypes/vmimage/offers/{{offer}}");
    let sku = &format!("{offer}/skus/{{sku}}");
    let kind = &format!("{publisher}/artifacttypes/vmextension/types/{{type}}");

    let mut table_of = Table(Router::new());
    let t = &mut table_of;

    t.fixed("/subscriptions", |app| subscription::list(&app));
    t.fixed("/tenants", |app| subscription::tenants(&app));
    t.at(subscription).on(GET, subscription::get);
    t.at(&format!("{subscription}/locations")).on(GET, subscription::locations);
    t.at(&format!("{subscription}/resources")).on(GET, subscription::resources);

    t.at(&format!("{subscription}/resourcegroups")).on(GET, resource_group::list);
    t.at(group)
        .on(GET, resource_group::get)
        .on(HEAD, resource_group::head)
        .on(PUT, resource_group::put)
        .on(PATCH, resource_group::put)
        .on(DELETE, resource_group::delete);
    t.at(&format!("{group}/resources")).on(GET, subscription::resources);

    t.at(deployments).on(GET, deployment::list);
    t.at(deployment)
        .on(GET, deployment::get)
        .on(PUT, deployment::put)
        .on(DELETE, deployment::delete);
    t.at(&format!("{deployment}/validate")).on(POST, deployment::validate);

    for all in [
        &everywhere("microsoft.compute/virtualmachines"),
        &format!("{compute}/virtualmachines"),
    ] {
        t.at(all).on(GET, virtual_machine::list);
    }
    t.at(vm)
        .on(GET, virtual_machine::get)
        .on(PUT, virtual_machine::put)
        .on(PATCH, virtual_machine::patch)
        .on(DELETE, virtual_machine::delete);
    t.at(&format!("{vm}/instanceview")).on(GET, instance_view::get);
    t.at(&format!("{vm}/start")).on(POST, power::start);
    t.at(&format!("{vm}/restart")).on(POST, power::restart);
    t.at(&format!("{vm}/poweroff")).on(POST, power::power_off);
    t.at(&format!("{vm}/deallocate")).on(POST, power::deallocate);
    t.at(&format!("{vm}/redeploy")).on(POST, power::redeploy);
    t.at(&format!("{vm}/reapply")).on(POST, power::reapply);
    t.at(&format!("{vm}/runcommand")).on(POST, run_command::post);
    t.at(&format!("{vm}/retrievebootdiagnosticsdata")).on(POST, boot_diagnostics::post);
    t.at(&format!("{vm}/extensions")).on(GET, extension::list);
    t.at(&format!("{vm}/extensions/{{extension}}"))
        .on(GET, extension::get)
        .on(PUT, extension::put)
        .on(PATCH, extension::put)
        .on(DELETE, extension::delete);
    t.at(&format!(
        "{vm}/providers/microsoft.resourcehealth/availabilitystatuses/{{status}}"
    ))
    .on(GET, instance_view::health);

    for all in [
        &everywhere("microsoft.network/virtualnetworks"),
        &format!("{network}/virtualnetworks"),
    ] {
        t.at(all).on(GET, virtual_network::list);
    }
    t.at(vnet)
        .on(GET, virtual_network::get)
        .on(PUT, virtual_network::put)
        .on(PATCH, virtual_network::tag)
        .on(DELETE, virtual_network::delete);
    t.at(&format!("{vnet}/subnets")).on(GET, virtual_network::list_subnets);
    t.at(&format!("{vnet}/subnets/{{subnet}}"))
        .on(GET, virtual_network::get_subnet)
        .on(PUT, virtual_network::put_subnet)
        .on(DELETE, virtual_network::delete_subnet);

    for all in [
        &everywhere("microsoft.network/networkinterfaces"),
        &format!("{network}/networkinterfaces"),
    ] {
        t.at(all).on(GET, network_interface::list);
    }
    t.at(nic)
        .on(GET, network_interface::get)
        .on(PUT, network_interface::put)
        .on(PATCH, network_interface::tag)
        .on(DELETE, network_interface::delete);
    t.at(&format!("{nic}/effectivenetworksecuritygroups"))
        .on(POST, effective::security_groups);
    t.at(&format!("{nic}/effectiveroutetable")).on(POST, effective::route_table);

    for all in [
        &everywhere("microsoft.network/publicipaddresses"),
        &format!("{network}/publicipaddresses"),
    ] {
        t.at(all).on(GET, public_ip_address::list);
    }
    t.at(&format!("{network}/publicipaddresses/{{address}}"))
        .on(GET, public_ip_address::get)
        .on(PUT, public_ip_address::put)
        .on(PATCH, public_ip_address::tag)
        .on(DELETE, public_ip_address::delete);

    for all in [
        &everywhere("microsoft.network/networksecuritygroups"),
        &format!("{network}/networksecuritygroups"),
    ] {
        t.at(all).on(GET, network_security_group::list);
    }
    t.at(nsg)
        .on(GET, network_security_group::get)
        .on(PUT, network_security_group::put)
        .on(PATCH, network_security_group::tag)
        .on(DELETE, network_security_group::delete);
    t.at(&format!("{nsg}/defaultsecurityrules"))
        .on(GET, network_security_group::list_default_rules);
    t.at(&format!("{nsg}/securityrules")).on(GET, network_security_group::list_rules);
    t.at(&format!("{nsg}/securityrules/{{rule}}"))
        .on(GET, network_security_group::get_rule)
        .on(PUT, network_security_group::put_rule)
        .on(DELETE, network_security_group::delete_rule);

    for all in
        [&everywhere("microsoft.network/routetables"), &format!("{network}/routetables")]
    {
        t.at(all).on(GET, route_table::list);
    }
    t.at(table)
        .on(GET, route_table::get)
        .on(PUT, route_table::put)
        .on(DELETE, route_table::delete);
    t.at(&format!("{table}/routes")).on(GET, route_table::list_routes);
    t.at(&format!("{table}/routes/{{route}}"))
        .on(GET, route_table::get_route)
        .on(PUT, route_table::put_route)
        .on(DELETE, route_table::delete_route);

    t.at(&everywhere("microsoft.network/networkwatchers")).on(GET, network_watcher::list);
    t.at(&format!("{watcher}/ipflowverify")).on(POST, network_watcher::ip_flow_verify);
    t.at(&format!("{watcher}/nexthop")).on(POST, network_watcher::next_hop);

    for provider in ["compute", "network", "resources"] {
        let here = everywhere(&format!("microsoft.{provider}/locations/{{location}}"));
        t.at(&format!("{here}/operations/{{operation}}")).on(GET, journal::status);
        t.at(&format!("{here}/operationresults/{{operation}}")).on(GET, journal::result);
    }

    t.at(&format!("{location}/vmsizes")).on(GET, virtual_machine::sizes);
    t.at(&format!("{location}/runcommands")).on(GET, run_command::list);
    t.at(&format!("{location}/runcommands/{{command}}")).on(GET, run_command::get);
    t.at(&format!("{location}/publishers")).on(GET, image::publishers);
    t.at(&format!("{publisher}/artifacttypes/vmimage/offers")).on(GET, image::offers);
    t.at(&format!("{offer}/skus")).on(GET, image::skus);
    t.at(&format!("{sku}/versions")).on(GET, image::versions);
    t.at(&format!("{sku}/versions/{{version}}")).on(GET, image::version);
    t.at(&format!("{publisher}/artifacttypes/vmextension/types"))
        .on(GET, image::extension_types);
    t.at(&format!("{kind}/versions")).on(GET, image::extension_versions);

    table_of.0
}

/// The routes so far.
struct Table(Router<Arc<App>>);

/// One path of the table, to which verbs are added.
struct At<'a> {
    table: &'a mut Table,
    path: String,
    depth: usize,
}

impl Table {
    fn at(&mut self, path: &str) -> At<'_> {
        let last = path.rfind('{').unwrap_or_default();
        let depth = path[..last].matches('/').count();
        At { table: self, path: path.to_owned(), depth }
    }

    /// A list that is in nothing.
    fn fixed(&mut self, path: &str, list: fn(Arc<App>) -> serde_json::Value) {
        let handler = move |State(app): State<Arc<App>>| async move { Json(list(app)) };
        self.add(path, routing::get(handler));
    }

    fn add(&mut self, path: &str, verb: MethodRouter<Arc<App>>) {
        self.0 = std::mem::take(&mut self.0).route(path, verb);
    }
}

impl At<'_> {
    /// Binds a verb to a noun's function.
    fn on<F, Fut>(self, verb: routing::MethodFilter, noun: F) -> Self
    where
        F: Fn(Arc<App>, Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        let depth = self.depth;
        let handler = move |State(app): State<Arc<App>>, request: Request| async move {
            match answer(&app, request, depth, noun).await {
                Ok(answer) => call::respond(&app, answer),
                Err(problem) => call::refuse(&problem),
            }
        };
        self.table.add(&self.path, routing::on(verb, handler));
        self
    }
}

/// Asks a noun. What it does goes on when the client hangs up: a document that is
/// written must have its packets follow.
async fn answer<F, Fut>(
    app: &Arc<App>,
    request: Request,
    depth: usize,
    noun: F,
) -> Result<Answer, Problem>
where
    F: Fn(Arc<App>, Call) -> Fut,
    Fut: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    let call = call::read(request, depth).await?;
    app.check_subscription(&call.id)?;
    tokio::spawn(noun(Arc::clone(app), call)).await.unwrap_or_else(|error| {
        Err(Problem::Internal { doing: "answer the request", why: error.to_string() })
    })
}

async fn authenticate(
    State(tokens): State<Arc<Tokens>>,
    request: Request,
    next: Next,
) -> Response {
    let authorization =
        request.headers().get("authorization").and_then(|value| value.to_str().ok());
    match tokens.check(authorization) {
        Ok(()) => next.run(request).await,
        Err(problem) => call::refuse(&problem),
    }
}

async fn unknown(request: Request) -> Response {
    let path = request
        .extensions()
        .get::<Spelling>()
        .map_or_else(|| request.uri().path().to_owned(), Spelling::path);
    call::refuse(&Problem::NoSuchRoute { path }).into_response()
}

async fn not_allowed(request: Request) -> Response {
    call::refuse(&Problem::MethodNotAllowed { method: request.method().to_string() })
}
