//! Operations and errors by their codes, TS 29.002 §17.5 and §17.6.

/// The operations that this program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// 21.
    MtForwardSmVgcs,
    /// 44.
    MtForwardSm,
    /// 45.
    SendRoutingInfoForSm,
    /// 46: mo-forwardSM of version 3, forwardSM of versions 1 and 2.
    ForwardSm,
    /// 47.
    ReportSmDeliveryStatus,
    /// 63.
    InformServiceCentre,
    /// 64.
    AlertServiceCentre,
    /// 66.
    ReadyForSm,
}

impl Operation {
    /// By local code.
    #[inline]
    pub const fn from_code(code: i64) -> Option<Self> {
        Some(match code {
            21 => Self::MtForwardSmVgcs,
            44 => Self::MtForwardSm,
            45 => Self::SendRoutingInfoForSm,
            46 => Self::ForwardSm,
            47 => Self::ReportSmDeliveryStatus,
            63 => Self::InformServiceCentre,
            64 => Self::AlertServiceCentre,
            66 => Self::ReadyForSm,
            _ => return None,
        })
    }

    /// The local code.
    pub const fn code(self) -> u8 {
        match self {
            Self::MtForwardSmVgcs => 21,
            Self::MtForwardSm => 44,
            Self::SendRoutingInfoForSm => 45,
            Self::ForwardSm => 46,
            Self::ReportSmDeliveryStatus => 47,
            Self::InformServiceCentre => 63,
            Self::AlertServiceCentre => 64,
            Self::ReadyForSm => 66,
        }
    }

    /// The specification's name in a given version: 46 is `mo-forwardSM` only in version 3.
    pub const fn name(self, version: Option<u8>) -> &'static str {
        match (self, version) {
            (Self::ForwardSm, Some(3)) => "mo-forwardSM",
            (Self::ForwardSm, _) => "forwardSM",
            (Self::MtForwardSm, _) => "mt-forwardSM",
            (Self::MtForwardSmVgcs, _) => "mt-forwardSM-VGCS",
            (Self::SendRoutingInfoForSm, _) => "sendRoutingInfoForSM",
            (Self::ReportSmDeliveryStatus, _) => "reportSM-DeliveryStatus",
            (Self::InformServiceCentre, _) => "informServiceCentre",
            (Self::AlertServiceCentre, _) => "alertServiceCentre",
            (Self::ReadyForSm, _) => "readyForSM",
        }
    }
}

/// The name of a MAP operation, read by this program or not. CAP and INAP use the same numbers for others.
pub const fn operation_name(code: i64) -> Option<&'static str> {
    if let Some(operation) = Operation::from_code(code) {
        return Some(operation.name(None));
    }
    Some(match code {
        2 => "updateLocation",
        3 => "cancelLocation",
        4 => "provideRoamingNumber",
        5 => "noteSubscriberDataModified",
        6 => "resumeCallHandling",
        7 => "insertSubscriberData",
        8 => "deleteSubscriberData",
        9 => "sendParameters",
        10 => "registerSS",
        11 => "eraseSS",
        12 => "activateSS",
        13 => "deactivateSS",
        14 => "interrogateSS",
        17 => "registerPassword",
        18 => "getPassword",
        22 => "sendRoutingInfo",
        23 => "updateGprsLocation",
        24 => "sendRoutingInfoForGprs",
        25 => "failureReport",
        26 => "noteMsPresentForGprs",
        29 => "sendEndSignal",
        33 => "processAccessSignalling",
        34 => "forwardAccessSignalling",
        37 => "reset",
        38 => "forwardCheckSS-Indication",
        39 => "prepareGroupCall",
        40 => "sendGroupCallEndSignal",
        43 => "checkIMEI",
        48 => "noteSubscriberPresent",
        49 => "alertServiceCentreWithoutResult",
        50 => "activateTraceMode",
        51 => "deactivateTraceMode",
        55 => "sendIdentification",
        56 => "sendAuthenticationInfo",
        57 => "restoreData",
        58 => "sendIMSI",
        59 => "processUnstructuredSS-Request",
        60 => "unstructuredSS-Request",
        61 => "unstructuredSS-Notify",
        62 => "anyTimeSubscriptionInterrogation",
        65 => "anyTimeModification",
        67 => "purgeMS",
        68 => "prepareHandover",
        69 => "prepareSubsequentHandover",
        70 => "provideSubscriberInfo",
        71 => "anyTimeInterrogation",
        72 => "ss-InvocationNotification",
        83 => "provideSubscriberLocation",
        85 => "sendRoutingInfoForLCS",
        86 => "subscriberLocationReport",
        _ => return None,
    })
}

/// The error sm-DeliveryFailure, whose parameter has a cause: [`super::delivery_failure_cause`].
pub const DELIVERY_FAILURE: i64 = 32;

/// The name of a MAP error.
pub const fn error_name(code: i64) -> Option<&'static str> {
    Some(match code {
        1 => "unknownSubscriber",
        3 => "unknownMSC",
        5 => "unidentifiedSubscriber",
        6 => "absentSubscriberSM",
        7 => "unknownEquipment",
        8 => "roamingNotAllowed",
        9 => "illegalSubscriber",
        10 => "bearerServiceNotProvisioned",
        11 => "teleserviceNotProvisioned",
        12 => "illegalEquipment",
        13 => "callBarred",
        14 => "forwardingViolation",
        15 => "cug-Reject",
        16 => "illegalSS-Operation",
        17 => "ss-ErrorStatus",
        18 => "ss-NotAvailable",
        19 => "ss-SubscriptionViolation",
        20 => "ss-Incompatibility",
        21 => "facilityNotSupported",
        25 => "noHandoverNumberAvailable",
        26 => "subsequentHandoverFailure",
        27 => "absentSubscriber",
        28 => "incompatibleTerminal",
        31 => "subscriberBusyForMT-SMS",
        DELIVERY_FAILURE => "sm-DeliveryFailure",
        33 => "messageWaitingListFull",
        34 => "systemFailure",
        35 => "dataMissing",
        36 => "unexpectedDataValue",
        37 => "pw-RegistrationFailure",
        38 => "negativePW-Check",
        39 => "noRoamingNumberAvailable",
        43 => "numberOfPW-AttemptsViolation",
        44 => "numberChanged",
        45 => "busySubscriber",
        46 => "noSubscriberReply",
        47 => "forwardingFailed",
        48 => "or-NotAllowed",
        49 => "ati-NotAllowed",
        51 => "resourceLimitation",
        53 => "unauthorizedLCSClient",
        54 => "positionMethodFailure",
        _ => return None,
    })
}

/// The name of a cause of sm-DeliveryFailure, SM-EnumeratedDeliveryFailureCause.
pub const fn delivery_failure_name(cause: u8) -> Option<&'static str> {
    Some(match cause {
        0 => "memoryCapacityExceeded",
        1 => "equipmentProtocolError",
        2 => "equipmentNotSM-Equipped",
        3 => "unknownServiceCentre",
        4 => "sc-Congestion",
        5 => "invalidSME-Address",
        6 => "subscriberNotSC-Subscriber",
        _ => return None,
    })
}
