// The words of the API that pages written for @vonage/client-sdk know.

export const ConfigRegion = { AP: "AP", EU: "EU", US: "US" } as const;
export type ConfigRegion = (typeof ConfigRegion)[keyof typeof ConfigRegion];

export const LoggingLevel = { Verbose: "Verbose", Debug: "Debug", Info: "Info", Warn: "Warn", Error: "Error", Assert: "Assert" } as const;
export type LoggingLevel = (typeof LoggingLevel)[keyof typeof LoggingLevel];

export const CancelReason = {
  RemoteCancel: "RemoteCancel",
  AnsweredElsewhere: "AnsweredElsewhere",
  RejectedElsewhere: "RejectedElsewhere",
  RemoteTimeout: "RemoteTimeout",
} as const;
export type CancelReason = (typeof CancelReason)[keyof typeof CancelReason];

export const HangupReason = {
  LOCAL_HANGUP: "LOCAL_HANGUP",
  REMOTE_HANGUP: "REMOTE_HANGUP",
  REMOTE_REJECT: "REMOTE_REJECT",
  REMOTE_NO_ANSWER_TIMEOUT: "REMOTE_NO_ANSWER_TIMEOUT",
  MEDIA_TIMEOUT: "MEDIA_TIMEOUT",
} as const;
export type HangupReason = (typeof HangupReason)[keyof typeof HangupReason];

export const LegStatus = { RINGING: "RINGING", ANSWERED: "ANSWERED", COMPLETED: "COMPLETED" } as const;
export type LegStatus = (typeof LegStatus)[keyof typeof LegStatus];

export const SessionErrorReason = { EXPIRED_TOKEN: "EXPIRED_TOKEN", TRANSPORT_CLOSED: "TRANSPORT_CLOSED", PING_TIMEOUT: "PING_TIMEOUT" } as const;
export type SessionErrorReason = (typeof SessionErrorReason)[keyof typeof SessionErrorReason];

export const VonageErrorType = {
  CS_ERROR: "CS_ERROR",
  NETWORK_ERROR: "NETWORK_ERROR",
  SESSION_ERROR: "SESSION_ERROR",
  INTERNAL_ERROR: "INTERNAL_ERROR",
  UNKNOWN_ERROR: "UNKNOWN_ERROR",
} as const;
export type VonageErrorType = (typeof VonageErrorType)[keyof typeof VonageErrorType];

export type ChannelType = "app" | "phone" | "sip" | "websocket";

/** What the audio of a call was like. */
export interface RTCQuality {
  readonly mos_score: number;
  readonly quality_percentage: number;
  readonly jitter_min: number;
  readonly jitter_max: number;
  readonly jitter_avg: number;
  readonly flaw_total: number;
  readonly packet_cnt: number;
  readonly packet_loss_perc: number;
}

/** The events of a VonageClient and what their callbacks get. */
export interface ClientEvents {
  callInvite: [callId: string, from: string, channelType: ChannelType];
  callInviteCancel: [callId: string, reason: CancelReason];
  legStatusUpdate: [callId: string, legId: string, status: LegStatus];
  callHangup: [callId: string, quality: RTCQuality, reason: HangupReason];
  callTransfer: [callId: string, conversationId: string];
  mute: [callId: string, legId: string, isMuted: boolean];
  earmuff: [callId: string, legId: string, isEarmuffed: boolean];
  dtmf: [callId: string, legId: string, digits: string];
  callMediaReconnecting: [callId: string];
  callMediaReconnection: [callId: string];
  callMediaDisconnect: [callId: string, networkChange: boolean];
  callMediaError: [callId: string, error: VonageError];
  rtcStatsUpdate: [stats: RTCQuality, callId: string];
  reconnecting: [];
  reconnection: [];
  sessionError: [reason: SessionErrorReason];
}

/** What every method rejects with. */
export class VonageError extends Error {
  override readonly name = "VonageError";
  readonly type: VonageErrorType;
  readonly code: string;

  constructor(type: VonageErrorType, code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.type = type;
    this.code = code;
  }
}
