//! The two documents that Microsoft's agent fetches and hardly reads. Ours does not
//! ask for them.

use super::xml::escape;

/// HostingEnvironmentConfig for the VM named `vm` of the deployment `deployment`.
pub fn hosting_environment_config(vm: &str, deployment: &str) -> String {
    let (vm, deployment) = (escape(vm), escape(deployment));
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <HostingEnvironmentConfig version=\"1.0.0.0\" goalStateIncarnation=\"1\">\
         <Deployment name=\"{deployment}\" guid=\"{deployment}\" incarnation=\"1\"/>\
         <Incarnation number=\"1\" instance=\"{vm}\" guid=\"{vm}\"/>\
         <Role guid=\"{vm}\" name=\"{vm}\" settleTimeSeconds=\"0\"/>\
         </HostingEnvironmentConfig>"
    )
}

/// SharedConfig for the VM named `vm`: stored by the agent as it is.
pub fn shared_config(vm: &str) -> String {
    let vm = escape(vm);
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <SharedConfig version=\"1.0.0.0\" goalStateIncarnation=\"1\">\
         <Deployment name=\"{vm}\" guid=\"{vm}\" incarnation=\"1\"/></SharedConfig>"
    )
}
