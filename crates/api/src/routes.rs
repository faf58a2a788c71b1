//! The index of the API.

mod account;
mod app_logs;
mod apps;
mod attempts;
mod cluster;
mod containers;
mod courses;
mod coursework;
mod doc;
mod duty;
mod engines;
mod enter;
mod environments;
mod events;
mod explain;
mod files;
mod guests;
mod hands;
mod image;
mod joins;
mod lab_files;
mod labs;
mod logs;
mod messages;
mod moment;
mod openapi;
mod operations;
mod previews;
mod recordings;
mod registry;
mod role;
mod roster;
mod saves;
mod session;
mod stats;
mod students;
mod terminals;
mod ticket;
mod token;
mod usage;
mod waiting;
mod wall;
mod workspaces;

use crate::metrics;
use crate::mount::Access::{Either, Holders, LoggedIn, Public, Scraper, Streamed, StreamedEither};
use crate::mount::Routes;
use crate::paging::Order;
use pierhead_model::Permission::{
    ReadCluster, ReadContainers, ReadEngines, ReadEvents, ReadLabs, WriteAccounts, WriteContainers, WriteEngines,
    WriteImages, WriteLabs,
};

/// Every route: its path, who may use it, what does it, and how it is described. Changes by GET are kept for clients of
/// old; both forms need the token header.
pub(crate) fn index() -> Routes {
    let routes = accounts(Routes::default());
    let routes = courses(routes);
    let routes = work(routes);
    let routes = engines(routes);
    let routes = containers(routes);
    let routes = workspaces(routes);
    let routes = class(routes);
    let routes = images(routes);
    let routes = labs(routes);
    let routes = attempts(routes);
    cluster(routes)
}

fn accounts(routes: Routes) -> Routes {
    routes
        .noun("account", "Log-in, accounts and passwords")
        .post("/auth/login", Public, account::log_in, doc::access::log_in())
        .post("/auth/session", Public, session::open, doc::session::open())
        .get("/auth/session", LoggedIn, session::show, doc::session::show())
        .delete("/auth/session", LoggedIn, session::close, doc::session::close())
        .get("/auth/link", Public, enter::by_link, doc::enter::show_link())
        .post("/auth/link", Public, enter::use_link, doc::enter::use_link())
        .get("/auth/redirect", Public, enter::by_redirect, doc::enter::redirect())
        .get("/auth/ways", Public, enter::oidc::ways, doc::enter::ways())
        .get("/auth/oidc/start", Public, enter::oidc::start, doc::enter::start_oidc())
        .get("/auth/oidc/back", Public, enter::oidc::back, doc::enter::finish_oidc())
        .post("/api/tickets", LoggedIn, ticket::give, doc::session::give_ticket())
        .post("/account/passwdchange", LoggedIn, account::change_password, doc::access::change_password())
        .list("/api/account", Holders(WriteAccounts), account::list, doc::access::list_accounts(), Order::Username)
        .post("/api/account", Holders(WriteAccounts), account::add, doc::access::add_account())
        .delete("/api/account", Holders(WriteAccounts), account::delete, doc::access::delete_account())
        .delete(
            "/api/account/{username}",
            Holders(WriteAccounts),
            account::delete_named,
            doc::access::delete_named_account(),
        )
        .put("/api/account/{username}", Holders(WriteAccounts), account::set_role, doc::access::set_role())
        .post("/api/account/{username}/suspend", Holders(WriteAccounts), account::suspend, doc::access::suspend())
        .post("/api/account/{username}/resume", Holders(WriteAccounts), account::resume, doc::access::resume())
        .post("/api/account/{username}/link", Holders(WriteAccounts), account::link, doc::access::link())
        .get("/api/usage", Holders(WriteAccounts), usage::of_all, doc::usage::of_all())
        .noun("token", "Tokens, with which programs log in")
        .list("/api/tokens", LoggedIn, token::list, doc::access::list_tokens(), Order::Id)
        .post("/api/tokens", LoggedIn, token::create, doc::access::create_token())
        .delete("/api/tokens/{id}", LoggedIn, token::revoke, doc::access::revoke_token())
        .noun("role", "Roles: names for sets of permissions")
        .list("/api/roles", Holders(WriteAccounts), role::list, doc::access::list_roles(), Order::Name)
        .post("/api/roles", Holders(WriteAccounts), role::add, doc::access::add_role())
        .get("/api/roles/{name}", Holders(WriteAccounts), role::show, doc::access::show_role())
        .put("/api/roles/{name}", Holders(WriteAccounts), role::change, doc::access::change_role())
        .delete("/api/roles/{name}", Holders(WriteAccounts), role::delete, doc::access::delete_role())
}

fn courses(routes: Routes) -> Routes {
    use doc::courses as told;
    let (read, write, admin) = (Holders(ReadLabs), Holders(WriteLabs), Holders(WriteAccounts));
    let one = "/api/courses/{id}/students/{username}";
    routes
        .noun("course", "Courses: who gives and takes them, and their labs")
        .list("/api/courses", read, courses::list, told::list(), Order::Id)
        .post("/api/courses", write, courses::add, told::add())
        .get("/api/courses/{id}", read, courses::show, told::show())
        .put("/api/courses/{id}", write, courses::change, told::change())
        .delete("/api/courses/{id}", write, courses::delete, told::delete())
        .list("/api/courses/{id}/students", read, students::list, told::list_students(), Order::Username)
        .post("/api/courses/{id}/students", write, students::enrol, told::enrol())
        .put(one, write, students::change, told::change_student())
        .delete(one, write, students::remove, told::remove_student())
        .post("/api/courses/{id}/students/{username}/link", write, students::link, told::link_student())
        .noun("roster", "The school's own list of people and courses")
        .get("/api/roster", admin, roster::show, told::show_roster())
        .post("/api/roster/preview", admin, roster::preview, told::preview_roster())
        .post("/api/roster/sync", admin, roster::sync, told::sync_roster())
}

fn work(routes: Routes) -> Routes {
    use doc::coursework as told;
    // Who may what is said by the course.
    let read = Holders(ReadLabs);
    routes
        .noun("work", "Work in courses: deadlines, what is handed in, and what it was worth")
        .get("/api/courses/{id}/work", read, coursework::list, told::list())
        .put("/api/courses/{id}/work/{lab}", read, coursework::change, told::change())
        .put("/api/courses/{id}/work/{lab}/extensions/{username}", read, coursework::extend, told::extend())
        .delete("/api/courses/{id}/work/{lab}/extensions/{username}", read, coursework::take_back, told::take_back())
        .post("/api/courses/{id}/work/{lab}/submissions", read, coursework::submit, told::submit())
        .get("/api/courses/{id}/submissions", read, coursework::submissions, told::submissions())
        .post("/api/courses/{id}/submissions/{lab}/{username}/retry", read, coursework::retry, told::retry())
        .post("/api/courses/{id}/submissions/{lab}/{username}/workspace", read, coursework::open, told::open())
        .put("/api/courses/{id}/grades/{lab}/{username}", read, coursework::grade, told::grade())
        .get("/api/courses/{id}/results", read, coursework::results, told::results())
        .get("/api/courses/{id}/grades", read, coursework::gradebook, told::gradebook())
        .get("/api/courses/{id}/grades/csv", read, coursework::export, told::export())
        .get("/api/courses/{id}/consent", read, recordings::consent, doc::recordings::consent())
        .put("/api/courses/{id}/consent", read, recordings::set_consent, doc::recordings::set_consent())
        .get("/api/courses/{id}/deleted-recordings", read, recordings::deleted, doc::recordings::deleted())
        .get("/api/courses/{id}/recordings", read, recordings::list, doc::recordings::list())
        .get("/api/courses/{id}/recordings/{recording}", read, recordings::fetch, doc::recordings::fetch())
        .delete("/api/courses/{id}/recordings/{recording}", read, recordings::delete, doc::recordings::delete())
        .get("/api/courses/{id}/usage", read, usage::of_course, doc::usage::of_course())
        .get("/api/courses/{id}/usage/csv", read, usage::export, doc::usage::export())
}

fn engines(routes: Routes) -> Routes {
    routes
        .noun("engine", "Docker hosts")
        .list("/api/engines", Holders(ReadEngines), engines::list, doc::engines::list(), Order::Id)
        .post("/api/engines", Holders(WriteEngines), engines::add, doc::engines::add())
        .post("/api/engines/join-tokens", Holders(WriteEngines), joins::make, doc::engines::make_join_token())
        .get("/api/engines/{id}", Holders(ReadEngines), engines::show, doc::engines::show())
        .delete("/api/engines/{id}", Holders(WriteEngines), engines::remove, doc::engines::remove())
        .post("/api/engines/{id}/approve", Holders(WriteEngines), joins::approve, doc::engines::approve())
        .post("/api/engines/{id}/revoke", Holders(WriteEngines), joins::revoke, doc::engines::revoke())
        .post("/api/engines/{id}/cordon", Holders(WriteEngines), duty::cordon, doc::cluster::cordon())
        .post("/api/engines/{id}/uncordon", Holders(WriteEngines), duty::uncordon, doc::cluster::uncordon())
        .post("/api/engines/{id}/drain", Holders(WriteEngines), duty::drain, doc::cluster::drain())
}

fn containers(routes: Routes) -> Routes {
    let (look, work) = (Either(ReadContainers, ReadLabs), Either(WriteContainers, ReadLabs));
    routes
        .noun("container", "Containers of all hosts")
        .list("/api/containers", Holders(ReadContainers), containers::list, doc::containers::list(), Order::Newest)
        .post("/api/containers", Holders(WriteContainers), containers::run, doc::containers::run())
        .get("/api/containers/{id}", Holders(ReadContainers), containers::show, doc::containers::show())
        .delete("/api/containers/{id}", Holders(WriteContainers), containers::destroy, doc::containers::destroy())
        .verb("/api/containers/{id}/start", Holders(WriteContainers), containers::start, doc::containers::start)
        .verb("/api/containers/{id}/stop", Holders(WriteContainers), containers::stop, doc::containers::stop)
        .verb("/api/containers/{id}/restart", Holders(WriteContainers), containers::restart, doc::containers::restart)
        .verb("/api/containers/{id}/scale", Holders(WriteContainers), containers::scale, doc::containers::scale)
        .get("/api/containers/{id}/logs", Streamed(ReadContainers), logs::logs, doc::containers::logs())
        .get("/api/containers/{id}/explain", Holders(ReadContainers), explain::container, doc::containers::explain())
        .noun("terminal", "Terminals in containers, which several people can use at once")
        .post("/api/containers/{id}/terminals", work, terminals::open, doc::terminals::open())
        .list("/api/terminals", look, terminals::list, doc::terminals::list(), Order::Newest)
        .get("/api/terminals/{id}", look, terminals::show, doc::terminals::show())
        .delete("/api/terminals/{id}", work, terminals::end, doc::terminals::end())
        .put(
            "/api/terminals/{id}/guests/{username}",
            Holders(WriteContainers),
            terminals::share,
            doc::terminals::share(),
        )
        .delete(
            "/api/terminals/{id}/guests/{username}",
            Holders(WriteContainers),
            terminals::unshare,
            doc::terminals::unshare(),
        )
        .get(
            "/api/terminals/{id}/recording",
            StreamedEither(ReadContainers, ReadLabs),
            terminals::recording,
            doc::terminals::recording(),
        )
        .get(
            "/api/terminals/{id}/socket",
            StreamedEither(ReadContainers, ReadLabs),
            terminals::socket,
            doc::terminals::socket(),
        )
        .noun("app", "Apps: containers of one description, as many as asked")
        .list("/api/apps", Holders(ReadContainers), apps::list, doc::apps::list(), Order::Name)
        .get("/api/apps/{name}", Holders(ReadContainers), apps::show, doc::apps::show())
        .put("/api/apps/{name}", Holders(WriteContainers), apps::set, doc::apps::set())
        .delete("/api/apps/{name}", Holders(WriteContainers), apps::delete, doc::apps::delete())
        .post("/api/apps/{name}/scale", Holders(WriteContainers), apps::scale, doc::apps::scale())
        .get("/api/apps/{name}/logs", Streamed(ReadContainers), app_logs::logs, doc::apps::logs())
        .get("/api/apps/{name}/explain", Holders(ReadContainers), explain::app, doc::apps::explain())
        .post("/api/explain", Holders(ReadContainers), explain::request, doc::apps::explain_request())
}

fn workspaces(routes: Routes) -> Routes {
    use doc::workspaces as told;
    let (read, write) = (Holders(ReadContainers), Holders(WriteContainers));
    // Who works through labs comes to the workspaces and saves that are theirs, and opens none.
    let (look, work) = (Either(ReadContainers, ReadLabs), Either(WriteContainers, ReadLabs));
    routes
        .noun("environment", "Environments: what workspaces are made from")
        .list("/api/environments", read, environments::list, told::list_environments(), Order::Id)
        .post("/api/environments", write, environments::add, told::add_environment())
        .get("/api/environments/{id}", read, environments::show, told::show_environment())
        .put("/api/environments/{id}", write, environments::set, told::set_environment())
        .delete("/api/environments/{id}", write, environments::delete, told::delete_environment())
        .noun("workspace", "Workspaces: environments that somebody works in, saved before every stop")
        .list("/api/workspaces", look, workspaces::list, told::list(), Order::Newest)
        .post("/api/workspaces", write, workspaces::open, told::open())
        .get("/api/workspaces/{id}", look, workspaces::show, told::show())
        .delete("/api/workspaces/{id}", work, workspaces::end, told::end())
        .post("/api/workspaces/{id}/extend", work, workspaces::extend, told::extend())
        .post("/api/workspaces/{id}/save", work, workspaces::save, told::save())
        .post("/api/workspaces/{id}/stop", work, workspaces::stop, told::stop())
        .post("/api/workspaces/{id}/start", work, workspaces::start, told::start())
        .post("/api/workspaces/{id}/reset", work, workspaces::reset, told::reset())
        .put("/api/workspaces/{id}/guests/{username}", write, workspaces::share, told::share())
        .delete("/api/workspaces/{id}/guests/{username}", write, workspaces::unshare, told::unshare())
        .get("/api/workspaces/{id}/ports", look, previews::ports, doc::previews::ports())
        .post("/api/workspaces/{id}/previews/{port}", look, previews::preview, doc::previews::preview())
        .get("/api/workspaces/{id}/files", look, files::list, doc::files::list())
        .post("/api/workspaces/{id}/files", work, files::make_folder, doc::files::make_folder())
        .delete("/api/workspaces/{id}/files", work, files::remove, doc::files::remove())
        .get("/api/workspaces/{id}/files/content", look, files::read, doc::files::read())
        .put("/api/workspaces/{id}/files/content", work, files::write, doc::files::write())
        .post("/api/workspaces/{id}/files/move", work, files::rename, doc::files::rename())
        .noun("save", "Saves: the files of workspaces that were kept")
        .list("/api/saves", look, saves::list, doc::saves::list(), Order::Newest)
        .get("/api/saves/{id}", look, saves::show, doc::saves::show())
        .delete("/api/saves/{id}", work, saves::delete, doc::saves::delete())
        .get("/api/saves/{id}/changes", look, saves::changes, doc::saves::changes())
        .post("/api/saves/{id}/environment", write, saves::environment, doc::saves::environment())
}

fn attempts(routes: Routes) -> Routes {
    use attempts as attempt;
    use doc::attempts as told;
    let read = Holders(ReadLabs);
    routes
        .noun("attempt", "Attempts: one's ways through labs, with all that one has come to")
        .post("/api/labs/{id}/attempts", read, attempt::begin, told::begin())
        .post("/api/labs/{id}/checks", Holders(WriteLabs), attempt::run_draft, told::run_draft())
        .list("/api/attempts", read, attempt::list, told::list(), Order::Newest)
        .get("/api/attempts/{id}", read, attempt::show, told::show())
        .delete("/api/attempts/{id}", read, attempt::delete, told::delete())
        .get("/api/attempts/{id}/pages/{step}", read, attempt::page, told::page())
        .get("/api/attempts/{id}/files", read, attempt::file, told::file())
        .put("/api/attempts/{id}/step", read, attempt::visit, told::visit())
        .post("/api/attempts/{id}/steps/{step}/checks", read, attempt::check, told::check())
        .post("/api/attempts/{id}/steps/{step}/quizzes/{name}", read, attempt::answer, told::answer())
        .post("/api/attempts/{id}/steps/{step}/hints/{hint}", read, attempt::hint, told::hint())
        .post("/api/attempts/{id}/reset", read, attempt::reset, told::reset())
        .post("/api/attempts/{id}/workspace", read, attempt::workspace, told::workspace())
        .post("/api/attempts/{id}/move", read, attempt::move_on, told::move_on())
}

fn labs(routes: Routes) -> Routes {
    use doc::labs as told;
    use labs as lab;
    let (read, write) = (Holders(ReadLabs), Holders(WriteLabs));
    routes
        .noun("lab", "Labs: documents that people work through, with a draft and published versions")
        .list("/api/labs", read, lab::list, told::list(), Order::Id)
        .post("/api/labs", write, lab::add, told::add())
        .post("/api/labs/import", write, lab_files::import, told::import())
        .get("/api/labs/{id}", read, lab::show, told::show())
        .put("/api/labs/{id}", write, lab::set, told::set())
        .delete("/api/labs/{id}", write, lab::delete, told::delete())
        .put("/api/labs/{id}/draft", write, lab_files::replace, told::replace())
        .get("/api/labs/{id}/archive", write, lab_files::archive, told::archive())
        .get("/api/labs/{id}/files", write, lab_files::list, told::files())
        .get("/api/labs/{id}/files/content", write, lab_files::read, told::read_file())
        .put("/api/labs/{id}/files/content", write, lab_files::write, told::write_file())
        .delete("/api/labs/{id}/files/content", write, lab_files::remove, told::remove_file())
        .post("/api/labs/{id}/files/move", write, lab_files::rename, told::move_file())
        .post("/api/labs/{id}/publish", write, lab::publish, told::publish())
        .delete("/api/labs/{id}/versions/{version}", write, lab::delete_version, told::delete_version())
        .get("/api/labs/{id}/history", write, lab::history, told::history())
        .post("/api/labs/{id}/history/{revision}/restore", write, lab::restore, told::restore())
        .get("/api/labs/{id}/diff", write, lab::diff, told::diff())
        .get("/api/labs/{id}/outline", read, lab::outline, told::outline())
        .get("/api/labs/{id}/pages/{step}", write, lab::page, told::page())
        .post("/api/labs/{id}/preview", write, lab::preview, told::preview())
        .post("/api/labs/{id}/workspace", write, lab::workspace, told::workspace())
        .post("/api/labs/{id}/environment", write, lab::environment, told::environment())
        .get("/api/lab-images", write, lab::images, told::images())
        .put("/api/lab-images", Holders(WriteEngines), lab::set_images, told::set_images())
}

fn class(routes: Routes) -> Routes {
    use doc::wall as told;
    let (look, work) = (Either(ReadContainers, ReadLabs), Either(WriteContainers, ReadLabs));
    let stream = StreamedEither(ReadContainers, ReadLabs);
    routes
        .noun("wall", "The wall: everybody whose work one may watch; raised hands and messages")
        .get("/api/wall", look, wall::show, told::show())
        .get("/api/wall/socket", stream, wall::socket, told::socket())
        .post("/api/wall/change", work, wall::change, told::change())
        .get("/api/hands", look, hands::list, told::hands())
        .put("/api/workspaces/{id}/hand", work, hands::raise, told::raise())
        .delete("/api/workspaces/{id}/hand", work, hands::lower, told::lower())
        .get("/api/messages", look, messages::list, told::list_messages())
        .post("/api/messages", work, messages::send, told::send())
        .post("/api/messages/read", look, messages::read, told::read())
}

fn images(routes: Routes) -> Routes {
    routes
        .noun("image", "Images: archives that are sent in, and what hosts have")
        .list("/api/images", Holders(ReadContainers), image::list, doc::images::list(), Order::Id)
        .post("/api/images", Holders(WriteImages), image::upload, doc::images::upload())
        .get("/api/images/{id}", Holders(ReadContainers), image::show, doc::images::show())
        .delete("/api/images/{id}", Holders(WriteImages), image::delete, doc::images::delete())
        .post("/api/images/{id}/spread", Holders(WriteImages), image::spread, doc::images::spread())
        .noun("registry", "The pool's accounts at registries of images")
        .list("/api/registries", Holders(ReadEngines), registry::list, doc::images::list_registries(), Order::Host)
        .post("/api/registries", Holders(WriteEngines), registry::add, doc::images::add_registry())
        .get("/api/registries/{host}", Holders(ReadEngines), registry::show, doc::images::show_registry())
        .put("/api/registries/{host}", Holders(WriteEngines), registry::set, doc::images::set_registry())
        .delete("/api/registries/{host}", Holders(WriteEngines), registry::delete, doc::images::delete_registry())
}

fn cluster(routes: Routes) -> Routes {
    routes
        .noun("cluster", "The pool as a whole")
        .get("/api/cluster/info", Holders(ReadCluster), cluster::info, doc::cluster::info())
        .list("/api/controllers", Holders(ReadCluster), cluster::controllers, doc::cluster::controllers(), Order::Id)
        .get("/api/cluster/survive/{id}", Holders(ReadCluster), duty::survive, doc::cluster::survive())
        .get("/api/cluster/rebalance", Holders(ReadCluster), duty::plan_rebalance, doc::cluster::plan_rebalance())
        .post("/api/cluster/rebalance", Holders(WriteEngines), duty::rebalance, doc::cluster::rebalance())
        .post("/api/cluster/thaw", Holders(WriteEngines), duty::thaw, doc::cluster::thaw())
        .post("/api/cluster/settle", Holders(WriteEngines), duty::settle, doc::cluster::settle())
        .get("/api/cluster/backup", Holders(WriteAccounts), cluster::backup, doc::cluster::backup())
        .noun("event", "The event log")
        .list("/api/events", Holders(ReadEvents), events::list, doc::events::list(), Order::Log)
        .get("/api/events/stream", StreamedEither(ReadEvents, ReadLabs), events::follow, doc::events::follow())
        .noun("stats", "What hosts and containers use")
        .get("/api/stats", Holders(ReadContainers), stats::show, doc::stats::show())
        .get("/api/stats/history", Holders(ReadContainers), stats::history, doc::stats::history())
        .get("/api/stats/stream", Streamed(ReadContainers), stats::follow, doc::stats::follow())
        .noun("operation", "Requests that take time")
        .list("/api/operations", Holders(ReadContainers), operations::list, doc::operations::list(), Order::Newest)
        .get("/api/operations/{id}", Holders(ReadContainers), operations::show, doc::operations::show())
        .post("/api/operations/{id}/cancel", Holders(WriteContainers), operations::cancel, doc::operations::cancel())
        .noun("api", "The API itself")
        .get("/healthz", Public, cluster::health, doc::cluster::health())
        .get("/api/ca", Public, session::authority, doc::session::authority())
        .get("/metrics", Scraper, metrics::show, doc::cluster::metrics())
        .get("/api/openapi.json", Public, openapi::document, doc::cluster::openapi())
        .get("/api/docs", Public, openapi::page, doc::cluster::page())
}
