//! Every example can be read again as what it is an example of.

use super::Example;
use crate::*;

/// Reads an example, and what is in the form of `null` for what is absent; writes it again.
fn check<T: Example>(name: &str) {
    let value = T::example_json();
    let text = value.to_string();
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"));
    assert_eq!(serde_json::to_value(&read).unwrap(), value, "{name}");
    assert!(value.as_object().is_some_and(|fields| !fields.is_empty()), "{name} shows nothing");
}

macro_rules! check_all {
    ($($name:ident),* $(,)?) => {
        $(check::<$name>(stringify!($name));)*
    };
}

#[test]
fn every_example_is_read_as_it_is_written() {
    check_all!(
        AccountRequest,
        AccountView,
        AppChange,
        AppView,
        ClusterInfo,
        ControllerView,
        ContainerView,
        EngineRequest,
        EngineThenView,
        EngineView,
        EnvironmentChange,
        EnvironmentRequest,
        EnvironmentView,
        ErrorBody,
        EventView,
        ExplainRequest,
        ExplainView,
        ExtendRequest,
        GuestRequest,
        Health,
        ImageDescription,
        LabDiffView,
        LabEnvironmentRequest,
        LabFileView,
        LabHistoryView,
        LabImagesView,
        LabImportView,
        LabOutlineView,
        LabPageView,
        LabPreviewRequest,
        LabRequest,
        LabSettings,
        LabView,
        LogIn,
        LogInWays,
        LoggedIn,
        MoveLabFileRequest,
        OperationView,
        PublishRequest,
        PasswordChange,
        PermissionsRequest,
        RebalanceRequest,
        RebalanceView,
        RoleChange,
        RoleDetail,
        RoleRequest,
        SaveChangesView,
        SaveEnvironmentRequest,
        SaveView,
        SurvivalView,
        TerminalRequest,
        TerminalView,
        TokenCreated,
        TokenRequest,
        TokenView,
        WorkspaceRequest,
        WorkspaceSaveRequest,
        WorkspaceStartRequest,
        WorkspaceView,
    );
}

#[test]
fn no_example_shows_what_only_a_server_sets() {
    let account = AccountRequest::example_json();
    assert!(account.get("tokens").is_none() && account.get("created_at").is_none(), "{account}");
    let read: AccountRequest = serde_json::from_str(r#"{"username":"ann","tokens":[1],"created_at":"x"}"#).unwrap();
    let written = serde_json::to_string(&read).unwrap();
    assert_eq!(written, r#"{"username":"ann"}"#, "accepted, and never sent on");
    let read: EngineRequest = serde_json::from_str(r#"{"addr":"10.0.0.5","health":{"status":"up"},"cpus":4}"#).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"addr":"10.0.0.5"}"#);
}
