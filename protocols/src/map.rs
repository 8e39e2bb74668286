//! MAP short message service operations, TS 29.002 §12 and §17: forwardSM of versions 1 to 3, both ways, and what stands around it.
//!
//! ```text
//! 44 mt-forwardSM   30 { sm-RP-DA, sm-RP-OA, 04 sm-RP-UI, 05 moreMessagesToSend?, …, 02 timer?, 04 start time? … }
//! 46 mo-forwardSM   30 { sm-RP-DA, sm-RP-OA, 04 sm-RP-UI, …, 04 imsi? … }        and forwardSM of versions 1 and 2, both ways
//! 21 …-VGCS         30 { 04 asciCallReference, sm-RP-OA, 04 sm-RP-UI, … }
//!   sm-RP-DA  80 imsi · 81 lmsi · 83 roamingNumber (v1) · 84 serviceCentreAddressDA · 85 noSM-RP-DA
//!   sm-RP-OA  82 msisdn · 84 serviceCentreAddressOA · 85 noSM-RP-OA
//! ```
//!
//! [`ForwardSm`] finds sm-RP-UI by position, since the octet strings behind it have the same tag. Opcode and application context
//! are evidence for the record, never a reason not to look.
//!
//! ```
//! use protocols::map::{AddressString, Destination, Direction, ForwardSm, Origination, Tbcd, direction, push_mt_forward_sm};
//! use protocols::tcap::{Component, Message, Opcode, push_begin, push_invoke};
//!
//! let (imsi, centre) = (Tbcd(&[0x00, 0x01, 0x01, 0x21, 0x43]), AddressString(&[0x91, 0x51, 0x55, 0xf0]));
//! let (mut argument, mut invoke, mut begin) = (Vec::new(), Vec::new(), Vec::new());
//! push_mt_forward_sm(&mut argument, Destination::Imsi(imsi), Origination::ServiceCentre(centre), b"TPDU", false);
//! push_invoke(&mut invoke, 1, None, Opcode::Local(44), &argument);
//! push_begin(&mut begin, &[0, 0, 0, 7], &[], &invoke);
//!
//! let message = Message::parse(&begin).unwrap();
//! let mut scratch = [0; 255];
//! let Ok(Component::Invoke(invoke)) = message.components().next().unwrap() else { panic!() };
//! let forward = ForwardSm::parse(&invoke, message.application_context(), &mut scratch).unwrap();
//! assert_eq!(forward.sm_rp_ui, b"TPDU");
//! assert_eq!(imsi.to_string(), "0010101234");
//! assert_eq!(direction(&forward, None, None, None, None).0, Direction::Mt);
//! ```

mod address;
mod build;
pub(crate) mod forward;
mod names;
mod routing;

pub use address::{AddressString, Tbcd};
pub use build::{
    push_address_string, push_alert_service_centre, push_delivery_failure, push_forward_sm, push_mo_forward_sm,
    push_mt_forward_sm, push_mt_forward_sm_vgcs, push_report_delivery_status, push_routing_info_for_sm,
    push_routing_info_for_sm_result, push_tbcd,
};
pub use forward::{Destination, Direction, Evidence, ForwardSm, Origination, direction, version};
pub use names::{DELIVERY_FAILURE, Operation, delivery_failure_name, error_name, operation_name};
pub use routing::{
    AlertServiceCentre, DeliveryStatus, RoutingInfoForSm, RoutingInfoForSmResult, absent_subscriber_diagnostic,
    delivery_failure_cause,
};

#[cfg(test)]
mod tests;
