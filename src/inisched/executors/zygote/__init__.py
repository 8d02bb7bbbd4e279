"""The zygote: a process that imports the callbacks once and is forked for each run of one."""
