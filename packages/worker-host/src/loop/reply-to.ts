/** The destination of a call's reply, or of a stream's items. */
export interface ReplyTo {
  readonly address: number;
  readonly uid: number;
  /** Below 0 for a stream. */
  readonly correlation: number;
}
