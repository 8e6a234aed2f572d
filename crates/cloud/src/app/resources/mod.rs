//! Microsoft.Resources: what holds all others together. Groups, tags and deployments,
//! lists across types, and the providers that say which types there are.

pub(crate) mod deployment;
pub(super) mod filter;
pub(crate) mod provider;
pub(crate) mod resource;
pub(crate) mod resource_group;
pub(crate) mod subscription;
pub(super) mod tag;
pub(crate) mod tags_resource;
mod template;
