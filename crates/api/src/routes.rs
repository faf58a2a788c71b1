//! The index of the API.

mod account;
mod apps;
mod cluster;
mod containers;
mod duty;
mod engines;
mod events;
mod explain;
mod operations;
mod role;
mod token;
mod waiting;

use crate::Api;
use crate::error::no_such_method;
use crate::mount::Access::{Holders, LoggedIn, Public};
use crate::mount::Routes;
use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, delete, get, post, put};
use pierhead_model::Permission::{
    ReadCluster, ReadContainers, ReadEngines, ReadEvents, WriteAccounts, WriteContainers, WriteEngines,
};

/// Every route, with who may use it. Changes by GET are kept for clients of old; both forms need the token header.
pub(crate) fn all(api: &Api) -> Router<Api> {
    Routes::new(api)
        .at("/healthz", Public, get(cluster::health))
        .at("/auth/login", Public, post(account::log_in))
        .at("/account/passwdchange", LoggedIn, post(account::change_password))
        .at("/api/account", Holders(WriteAccounts), get(account::list).post(account::add).delete(account::delete))
        .at("/api/account/{username}", Holders(WriteAccounts), delete(account::delete_named).put(account::set_role))
        .at("/api/tokens", LoggedIn, get(token::list).post(token::create))
        .at("/api/tokens/{id}", LoggedIn, delete(token::revoke))
        .at("/api/roles", Holders(WriteAccounts), get(role::list).post(role::add))
        .at("/api/roles/{name}", Holders(WriteAccounts), get(role::show).put(role::change).delete(role::delete))
        .at("/api/engines", Holders(ReadEngines), get(engines::list))
        .at("/api/engines", Holders(WriteEngines), post(engines::add))
        .at("/api/engines/{id}", Holders(ReadEngines), get(engines::show))
        .at("/api/engines/{id}", Holders(WriteEngines), delete(engines::remove))
        .at("/api/engines/{id}/cordon", Holders(WriteEngines), post(duty::cordon))
        .at("/api/engines/{id}/uncordon", Holders(WriteEngines), post(duty::uncordon))
        .at("/api/engines/{id}/drain", Holders(WriteEngines), post(duty::drain))
        .at("/api/cluster/survive/{id}", Holders(ReadCluster), get(duty::survive))
        .at("/api/cluster/rebalance", Holders(ReadCluster), get(duty::plan_rebalance))
        .at("/api/cluster/rebalance", Holders(WriteEngines), post(duty::rebalance))
        .at("/api/cluster/info", Holders(ReadCluster), get(cluster::info))
        .at("/api/events", Holders(ReadEvents), get(events::list))
        .at("/api/events/stream", Holders(ReadEvents), get(events::follow))
        .at("/api/containers", Holders(ReadContainers), get(containers::list))
        .at("/api/containers", Holders(WriteContainers), post(containers::run))
        .at("/api/containers/{id}", Holders(ReadContainers), get(containers::show))
        .at("/api/containers/{id}", Holders(WriteContainers), delete(containers::destroy))
        .at("/api/containers/{id}/start", Holders(WriteContainers), verb(containers::start))
        .at("/api/containers/{id}/stop", Holders(WriteContainers), verb(containers::stop))
        .at("/api/containers/{id}/restart", Holders(WriteContainers), verb(containers::restart))
        .at("/api/containers/{id}/scale", Holders(WriteContainers), verb(containers::scale))
        .at("/api/containers/{id}/logs", Holders(ReadContainers), get(containers::logs))
        .at("/api/containers/{id}/explain", Holders(ReadContainers), get(explain::container))
        .at("/api/apps", Holders(ReadContainers), get(apps::list))
        .at("/api/apps/{name}", Holders(ReadContainers), get(apps::show))
        .at("/api/apps/{name}", Holders(WriteContainers), put(apps::set).delete(apps::delete))
        .at("/api/apps/{name}/scale", Holders(WriteContainers), post(apps::scale))
        .at("/api/apps/{name}/explain", Holders(ReadContainers), get(explain::app))
        .at("/api/explain", Holders(ReadContainers), post(explain::request))
        .at("/api/operations", Holders(ReadContainers), get(operations::list))
        .at("/api/operations/{id}", Holders(ReadContainers), get(operations::show))
        .at("/api/operations/{id}/cancel", Holders(WriteContainers), post(operations::cancel))
        .into_router()
}

/// A change by POST, or by GET for clients of old. HEAD, which would come along with GET, must change nothing.
fn verb<T: 'static>(handler: impl Handler<T, Api>) -> MethodRouter<Api> {
    post(handler.clone()).get(handler).head(no_such_method)
}
