/** done */
export const MI_SUCCESS: number;
/** refused */
export const MI_FAILURE: number;
/** go on */
export const SMFIS_CONTINUE: number;
/** refuse for good */
export const SMFIS_REJECT: number;
/** accept, and throw away */
export const SMFIS_DISCARD: number;
/** accept, and ask no more */
export const SMFIS_ACCEPT: number;
/** refuse; the sender may try again */
export const SMFIS_TEMPFAIL: number;
/** no answer, where none was negotiated */
export const SMFIS_NOREPLY: number;
/** no more events of this kind in this message */
export const SMFIS_SKIP: number;
/** negotiate: all that the MTA offers */
export const SMFIS_ALL_OPTS: number;
/** nothing */
export const SMFIF_NONE: number;
/** add and insert header fields */
export const SMFIF_ADDHDRS: number;
/** replace the body */
export const SMFIF_CHGBODY: number;
/** the same, by its older name */
export const SMFIF_MODBODY: number;
/** add recipients */
export const SMFIF_ADDRCPT: number;
/** remove recipients */
export const SMFIF_DELRCPT: number;
/** change and remove header fields */
export const SMFIF_CHGHDRS: number;
/** hold the message */
export const SMFIF_QUARANTINE: number;
/** change the sender */
export const SMFIF_CHGFROM: number;
/** add recipients with ESMTP parameters */
export const SMFIF_ADDRCPT_PAR: number;
/** choose the macros that are sent */
export const SMFIF_SETSYMLIST: number;
/** connect */
export const SMFIM_CONNECT: number;
/** HELO or EHLO */
export const SMFIM_HELO: number;
/** MAIL */
export const SMFIM_ENVFROM: number;
/** RCPT */
export const SMFIM_ENVRCPT: number;
/** DATA */
export const SMFIM_DATA: number;
/** end of message */
export const SMFIM_EOM: number;
/** end of header */
export const SMFIM_EOH: number;
/** do not send connect */
export const SMFIP_NOCONNECT: number;
/** do not send helo */
export const SMFIP_NOHELO: number;
/** do not send mailfrom */
export const SMFIP_NOMAIL: number;
/** do not send rcptto */
export const SMFIP_NORCPT: number;
/** do not send segment */
export const SMFIP_NOBODY: number;
/** do not send header */
export const SMFIP_NOHDRS: number;
/** do not send eoh */
export const SMFIP_NOEOH: number;
/** do not send unknown */
export const SMFIP_NOUNKNOWN: number;
/** do not send data */
export const SMFIP_NODATA: number;
/** no answer to header */
export const SMFIP_NR_HDR: number;
/** the same, by its older name */
export const SMFIP_NOHREPL: number;
/** no answer to connect */
export const SMFIP_NR_CONN: number;
/** no answer to helo */
export const SMFIP_NR_HELO: number;
/** no answer to mailfrom */
export const SMFIP_NR_MAIL: number;
/** no answer to rcptto */
export const SMFIP_NR_RCPT: number;
/** no answer to data */
export const SMFIP_NR_DATA: number;
/** no answer to unknown */
export const SMFIP_NR_UNKN: number;
/** no answer to eoh */
export const SMFIP_NR_EOH: number;
/** no answer to segment */
export const SMFIP_NR_BODY: number;
/** the MTA understands SMFIS_SKIP */
export const SMFIP_SKIP: number;
/** send refused recipients, too */
export const SMFIP_RCPT_REJ: number;
/** header values with their leading blank */
export const SMFIP_HDR_LEADSPC: number;
/** packets of 256 KB */
export const SMFIP_MDS_256K: number;
/** packets of 1 MB */
export const SMFIP_MDS_1M: number;
