// Erlang/OTP's own test cases, by suite: a test here may name them in front of its own name.
const names = (text) => text.trim().split(/\s+/);

export const OTP_CASES = {
  supervisor_SUITE: names(`
    sup_start_normal sup_start_ignore_init sup_start_ignore_child sup_start_ignore_temporary_child
    sup_start_ignore_temporary_child_start_child sup_start_ignore_temporary_child_start_child_simple
    sup_start_ignore_permanent_child_start_child_simple sup_start_error_return sup_start_fail
    sup_start_child_returns_error sup_start_restart_child_returns_error sup_start_child_returns_error_simple
    sup_start_map sup_start_map_simple sup_start_map_faulty_specs
    sup_stop_infinity sup_stop_timeout sup_stop_timeout_dynamic sup_stop_brutal_kill sup_stop_brutal_kill_dynamic
    sup_stop_race sup_stop_non_shutdown_exit_dynamic
    child_adm child_adm_simple extra_return child_specs child_specs_map sup_flags multiple_restarts
    one_for_one one_for_one_escalation
    one_for_all one_for_all_escalation one_for_all_other_child_fails_restart
    simple_one_for_one simple_one_for_one_shutdown simple_one_for_one_extra simple_one_for_one_escalation
    simple_one_for_one_corruption simple_one_for_one_restart_ignore
    rest_for_one rest_for_one_escalation rest_for_one_other_child_fails_restart
    external_start_no_progress_log permanent_normal transient_normal temporary_normal
    permanent_shutdown transient_shutdown temporary_shutdown faulty_application_shutdown
    permanent_abnormal transient_abnormal temporary_abnormal temporary_bystander
    nonsignificant_temporary nonsignificant_transient significant_temporary significant_transient
    significant_simple significant_bystander significant_escalation
    significant_upgrade_never_any significant_upgrade_any_never significant_upgrade_never_all
    significant_upgrade_all_never significant_upgrade_any_all significant_upgrade_all_any significant_upgrade_child
    child_unlink tree count_children count_children_supervisor count_restarting_children get_callback_module
    do_not_save_start_parameters_for_temporary_children do_not_save_child_specs_for_temporary_children
    simple_one_for_one_scale_many_temporary_children simple_global_supervisor
    hanging_restart_loop hanging_restart_loop_rest_for_one hanging_restart_loop_simple
    code_change code_change_map code_change_simple code_change_simple_map
    order_of_children scale_start_stop_many_children format_log_1 format_log_2 already_started_outside_supervisor
    which_children which_children_simple_one_for_one
  `),
  gen_server_SUITE: names(`
    start start_event_timeout start_event_timeout_zero
    stop1 stop2 stop3 stop4 stop5 stop6 stop7 stop8 stop9 stop10
    crash loop_start_fail call send_request send_request_receive_reqid_collection
    send_request_wait_reqid_collection send_request_check_reqid_collection cast cast_fast info abcast
    continue handle_event_timeout handle_event_timeout_zero handle_event_timeout_plain
    multicall multicall_down multicall_remote multicall_remote_old1 multicall_remote_old2
    multicall_recv_opt_success multicall_recv_opt_timeout multicall_recv_opt_noconnection
    call_remote1 call_remote2 call_remote3 call_remote_n1 call_remote_n2 call_remote_n3 calling_self
    spec_init spec_init_local_registered_parent spec_init_global_registered_parent
    otp_5854 hibernate auto_hibernate otp_7669
    call_format_status error_format_status terminate_crash_format crash_in_format_status throw_in_format_status
    format_all_status get_state replace_state call_with_huge_message_queue
    undef_handle_call undef_handle_cast undef_handle_info undef_handle_continue undef_init undef_code_change
    undef_terminate1 undef_terminate2 undef_in_terminate undef_in_handle_info
    format_log_with_process_label reply_by_alias_with_payload
  `),
  sys_SUITE: names("log log_to_file stats trace suspend install special_process"),
  // The process chapter, whose rules are tested in these.
  process_SUITE: names(`
    t_exit_1 t_exit_2_other t_exit_2_other_normal self_exit normal_suicide_exit abnormal_suicide_exit t_exit_2_catch
    trap_exit_badarg trap_exit_badarg_in_bif exit_and_timeout exit_twice process_status_exiting bad_register
  `),
  monitor_SUITE: names(`
    case_1 case_1a case_2 case_2a mon_e_1 demon_e_1 demon_1 mon_1 mon_2 demon_2 demon_3 demonitor_flush
    local_remove_monitor remote_remove_monitor large_exit list_cleanup mixer named_down otp_5827
  `),
  erl_link_SUITE: names(
    "links dist_links monitor_nodes process_monitors dist_process_monitors otp_5772_link otp_5772_monitor",
  ),
  signal_SUITE: names("xm_sig_order kill2killed unlink_exit monitor_order"),
};

/** Case → suite. */
export const SUITE_OF = new Map(
  Object.entries(OTP_CASES).flatMap(([suite, cases]) => cases.map((name) => [name, suite])),
);

/** The case names in front of a test's name: `[links] [unlink_exit] …`. */
export function casesOf(testName) {
  const [tags] = /^(?:\[[a-z]\w*\]\s*)*/.exec(testName);
  return [...tags.matchAll(/\[(\w+)\]/g)].map(([, name]) => name);
}
