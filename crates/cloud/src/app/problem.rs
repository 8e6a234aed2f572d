//! What can go wrong, without a word about HTTP: each problem has ARM's code, a
//! [`Kind`] from which the transport makes its status, and a text that says what
//! to do next where that is not plain.

use arm::{ArmError, ResourceId};

use super::Caller;
use crate::store;

/// Why a request was refused or an operation failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// No `api-version`.
    #[error(
        "The api-version query parameter (?api-version=) is required for all requests."
    )]
    MissingApiVersion,
    /// The body is not what this request takes.
    #[error("The request content was invalid and could not be deserialized: '{why}'.")]
    InvalidContent {
        /// What is wrong with it.
        why: String,
    },
    /// The body is larger than ARM takes.
    #[error("The request content exceeds the maximum of {limit} bytes.")]
    ContentTooLarge {
        /// The maximum in bytes.
        limit: usize,
    },
    /// The body is said to be something else than JSON.
    #[error(
        "The content media type '{kind}' is not supported. Only 'application/json' is supported."
    )]
    UnsupportedMediaType {
        /// What it is said to be.
        kind: String,
    },
    /// The body did not come in time.
    #[error("The request's body did not arrive in time. Send it again.")]
    RequestTimeout,
    /// No token.
    #[error("Authentication failed. The 'Authorization' header is missing or invalid.")]
    AuthenticationFailed,
    /// A token that this server did not issue.
    #[error("The access token is invalid: {why}. Sign in again.")]
    InvalidToken {
        /// What is wrong with it.
        why: String,
    },
    /// A token that was good once.
    #[error(
        "The access token expiry UTC time is earlier than current UTC time. Sign in again."
    )]
    ExpiredToken,
    /// A token for somebody else's service.
    #[error(
        "The access token has been obtained for wrong audience or resource '{audience}'. It \
         should exactly match with one of the allowed audiences '{right}'."
    )]
    WrongAudience {
        /// The audience that it was issued for.
        audience: String,
        /// The right one.
        right: String,
    },
    /// A sign-in that failed.
    #[error("{why}")]
    SignInRefused {
        /// In the words of the token endpoint.
        why: String,
    },
    /// A principal that has no role that would allow it.
    #[error(
        "The client '{}' with object id '{}' does not have authorization to perform action \
         '{action}' over scope '{scope}' or the scope is invalid. If access was recently \
         granted, please refresh your credentials.",
        .client.app_id, .client.id
    )]
    AuthorizationFailed {
        /// Who asked.
        client: Caller,
        /// For what.
        action: String,
        /// On what.
        scope: String,
    },
    /// A principal that sends more than it may.
    #[error(
        "Number of '{kind}' requests for subscription '{subscription}' actor '{actor}' exceeded. \
         Please try again after '{seconds}' seconds after additional tokens are available. Refer \
         to https://aka.ms/arm-throttling for additional information."
    )]
    Throttled {
        /// As in `read`.
        kind: &'static str,
        /// The subscription.
        subscription: String,
        /// Object id of the principal.
        actor: String,
        /// How long to wait.
        seconds: String,
    },
    /// A resource that is asked for more often than its provider answers.
    #[error(
        "The server rejected the request because too many requests have been received for this \
         subscription."
    )]
    ResourceThrottled {
        /// What counts such requests.
        policy: &'static str,
        /// How long to wait.
        seconds: String,
    },
    /// Something in the directory that may not be done.
    #[error("{message}")]
    Denied {
        /// Graph's code.
        code: &'static str,
        /// What, and who may.
        message: String,
    },
    /// A template with resources that its caller may not write.
    #[error("Deployment failed with multiple errors: '{why}'")]
    DeploymentRefused {
        /// All of them in one text, as Azure tells it.
        why: String,
        /// Each refusal.
        details: Vec<ArmError>,
    },
    /// A path that is no resource's.
    #[error("The resource type could not be found: no route of this cloud is '{path}'.")]
    NoSuchRoute {
        /// The path as it was sent.
        path: String,
    },
    /// A resource that does not have this verb.
    #[error("The requested resource does not support http method '{method}'.")]
    MethodNotAllowed {
        /// The verb.
        method: String,
    },
    /// Another subscription than the one there is.
    #[error("The subscription '{subscription}' could not be found.")]
    SubscriptionNotFound {
        /// Its id.
        subscription: String,
    },
    /// No such resource provider.
    #[error("The resource namespace '{namespace}' is invalid.")]
    NoSuchNamespace {
        /// Its namespace.
        namespace: String,
    },
    /// No such deployment.
    #[error("Deployment '{name}' could not be found.")]
    DeploymentNotFound {
        /// Its name.
        name: String,
    },
    /// No such group.
    #[error("Resource group '{group}' could not be found.")]
    GroupNotFound {
        /// Its name.
        group: String,
    },
    /// No such resource.
    #[error(
        "The Resource '{}/{}' under resource group '{}' was not found.",
        .id.resource_type(), .id.name(), .id.group().unwrap_or_default()
    )]
    ResourceNotFound {
        /// The id that was asked for.
        id: ResourceId,
    },
    /// A child of something that is not there cannot be written.
    #[error(
        "Failed to perform 'write' on resource(s) of type '{kind}', because the parent resource \
         '{parent}' could not be found."
    )]
    NoParent {
        /// The child's type.
        kind: String,
        /// What is missing.
        parent: ResourceId,
    },
    /// Anything else that is not there: a child, an operation, an image.
    #[error("{message}")]
    NotFound {
        /// What was not found.
        message: String,
    },
    /// Something to make machines of that this cloud does not have.
    #[error("{message}")]
    NoArtifact {
        /// What was not found, and what there is.
        message: String,
    },
    /// Not there, under a code of its own.
    #[error("{message}")]
    Missing {
        /// ARM's code.
        code: &'static str,
        /// What was not found.
        message: String,
    },
    /// A resource that the request refers to is not there.
    #[error(
        "Resource {to} referenced by resource {from} was not found. Please make sure that the \
         referenced resource exists, and that both resources are in the same region."
    )]
    InvalidReference {
        /// The missing one.
        to: String,
        /// The one that needs it.
        from: ResourceId,
    },
    /// A value that cannot be taken.
    #[error("{message}")]
    Invalid {
        /// ARM's code.
        code: &'static str,
        /// What is wrong.
        message: String,
        /// The property, as in `osProfile.adminUsername`.
        target: Option<&'static str>,
    },
    /// The state of things forbids it.
    #[error("{message}")]
    Conflict {
        /// ARM's code.
        code: &'static str,
        /// What stands against it, and what to do.
        message: String,
    },
    /// `If-Match` or `If-None-Match` does not hold.
    #[error(
        "The condition of the request's If-Match or If-None-Match header is not met: the resource was changed meanwhile. Read it again."
    )]
    PreconditionFailed,
    /// A security rule that Azure refuses.
    #[error(transparent)]
    Rule(#[from] network::RuleError),
    /// The guest or its agent did not do what it was told.
    #[error("{message}")]
    Guest {
        /// ARM's code.
        code: &'static str,
        /// What happened, and what to do.
        message: String,
    },
    /// The engine or the fabric could not do its part.
    #[error("cannot {doing}")]
    Machine {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The platform failed in itself.
    #[error("cannot {doing}: {why}")]
    Internal {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        why: String,
    },
    /// The store failed.
    #[error("the cloud's database failed")]
    Store(#[from] store::Error),
    /// How a journalled operation ended.
    #[error("{}", .0.message)]
    Recorded(ArmError),
}

/// What kind of problem it is; the transport has a status for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The request cannot be right.
    Invalid,
    /// Nobody known asks.
    Unauthenticated,
    /// Somebody asks who may not.
    Forbidden,
    /// Somebody asks too often.
    Throttled,
    /// Not there.
    NotFound,
    /// Not this verb.
    MethodNotAllowed,
    /// Not now, or not in this state.
    Conflict,
    /// The resource is not what the client thinks.
    PreconditionFailed,
    /// Too much.
    TooLarge,
    /// Too slow.
    Timeout,
    /// Not JSON.
    MediaType,
    /// Not the client's doing.
    Internal,
}

impl Problem {
    /// A value that cannot be taken, under ARM's usual code for it.
    pub(crate) fn parameter(target: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid {
            code: "InvalidParameter",
            message: message.into(),
            target: Some(target),
        }
    }

    /// ARM's code.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::MissingApiVersion => "MissingApiVersionParameter",
            Self::InvalidContent { .. } => "InvalidRequestContent",
            Self::ContentTooLarge { .. } => "RequestContentTooLarge",
            Self::RequestTimeout => "RequestTimeout",
            Self::UnsupportedMediaType { .. } => "UnsupportedMediaType",
            Self::AuthenticationFailed => "AuthenticationFailed",
            Self::InvalidToken { .. } => "InvalidAuthenticationToken",
            Self::ExpiredToken => "ExpiredAuthenticationToken",
            Self::WrongAudience { .. } => "InvalidAuthenticationTokenAudience",
            Self::SignInRefused { .. } => "invalid_client",
            Self::AuthorizationFailed { .. } => "AuthorizationFailed",
            Self::Throttled { .. } => "SubscriptionRequestsThrottled",
            Self::ResourceThrottled { .. } => "OperationNotAllowed",
            Self::DeploymentRefused { .. } => "InvalidTemplateDeployment",
            Self::NoSuchRoute { .. } => "InvalidResourceType",
            Self::MethodNotAllowed { .. } => "MethodNotAllowed",
            Self::SubscriptionNotFound { .. } => "SubscriptionNotFound",
            Self::NoSuchNamespace { .. } => "InvalidResourceNamespace",
            Self::DeploymentNotFound { .. } => "DeploymentNotFound",
            Self::GroupNotFound { .. } => "ResourceGroupNotFound",
            Self::ResourceNotFound { .. } => "ResourceNotFound",
            Self::NoParent { .. } => "ParentResourceNotFound",
            Self::NotFound { .. } => "NotFound",
            Self::NoArtifact { .. } => "ArtifactNotFound",
            Self::InvalidReference { .. } => "InvalidResourceReference",
            Self::Missing { code, .. }
            | Self::Denied { code, .. }
            | Self::Invalid { code, .. }
            | Self::Conflict { code, .. }
            | Self::Guest { code, .. } => code,
            Self::PreconditionFailed => "PreconditionFailed",
            Self::Rule(error) => error.code(),
            Self::Machine { .. } => "AllocationFailed",
            Self::Internal { .. } | Self::Store(_) => "InternalServerError",
            Self::Recorded(error) => &error.code,
        }
    }

    /// What kind of problem it is.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::MissingApiVersion
            | Self::InvalidContent { .. }
            | Self::InvalidReference { .. }
            | Self::Invalid { .. }
            | Self::Rule(_) => Kind::Invalid,
            Self::AuthenticationFailed
            | Self::InvalidToken { .. }
            | Self::WrongAudience { .. }
            | Self::SignInRefused { .. }
            | Self::ExpiredToken => Kind::Unauthenticated,
            Self::AuthorizationFailed { .. }
            | Self::DeploymentRefused { .. }
            | Self::Denied { .. } => Kind::Forbidden,
            Self::Throttled { .. } | Self::ResourceThrottled { .. } => Kind::Throttled,
            Self::NoSuchRoute { .. }
            | Self::SubscriptionNotFound { .. }
            | Self::NoSuchNamespace { .. }
            | Self::DeploymentNotFound { .. }
            | Self::GroupNotFound { .. }
            | Self::ResourceNotFound { .. }
            | Self::NoParent { .. }
            | Self::NotFound { .. }
            | Self::NoArtifact { .. }
            | Self::Missing { .. } => Kind::NotFound,
            Self::MethodNotAllowed { .. } => Kind::MethodNotAllowed,
            Self::ContentTooLarge { .. } => Kind::TooLarge,
            Self::RequestTimeout => Kind::Timeout,
            Self::UnsupportedMediaType { .. } => Kind::MediaType,
            Self::PreconditionFailed => Kind::PreconditionFailed,
            Self::Conflict { .. } | Self::Guest { .. } | Self::Recorded(_) => {
                Kind::Conflict
            }
            Self::Machine { .. } | Self::Internal { .. } | Self::Store(_) => {
                Kind::Internal
            }
        }
    }

    /// The problem as ARM tells it: the text with all of its causes.
    pub(crate) fn to_arm(&self) -> ArmError {
        if let Self::Recorded(error) = self {
            return error.clone();
        }
        let mut message = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        let error = ArmError::new(self.code(), message);
        match self {
            Self::Invalid { target: Some(target), .. } => error.with_target(*target),
            Self::ResourceThrottled { policy, seconds } => {
                let why = format!("{policy}: try again in {seconds} seconds.");
                let detail = ArmError::new("TooManyRequests", why).with_target(*policy);
                error.with_detail(detail)
            }
            Self::DeploymentRefused { details, .. } => {
                details.iter().cloned().fold(error, ArmError::with_detail)
            }
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_resource_is_told_as_arm_tells_it() {
        let id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/x";
        let problem = Problem::ResourceNotFound { id: ResourceId::parse(id).unwrap() };
        assert_eq!(
            problem.to_arm().to_string(),
            "(ResourceNotFound) The Resource 'Microsoft.Compute/virtualMachines/x' under \
             resource group 'rg' was not found."
        );
        assert_eq!(problem.kind(), Kind::NotFound);
    }
}
