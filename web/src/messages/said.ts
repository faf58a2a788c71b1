/**
 * What the controller says in English of hosts and slots, and the same in Chinese: the sentence itself is its key. A test
 * finds each in the source of the controller. How they are found in a text is in `lib/said.ts`.
 */

import { messages } from '../lib/i18n.svelte';

export const said = messages({
  // Why a host does not suit.
  cordoned: ['cordoned', '已封锁'],
  lacksCpu: ['lacks {n} CPU: {m} of {k} free', '缺少 {n} 核 CPU：{k} 核中空闲 {m} 核'],
  lacksMemory: ['lacks {n} MB memory: {m} of {k} MB free', '缺少 {n} MB 内存：{k} MB 中空闲 {m} MB'],
  partCpu: ['{n} CPU', '{n} 核 CPU'],
  partMemory: ['{n} MB memory', '{n} MB 内存'],
  labels: ["its labels don't satisfy {asked}", '其标签不满足 {asked}'],
  otherHost: ['{engine} is asked for', '要求的是 {engine}'],
  runsImage: ['it runs {image} already', '已在运行 {image}'],
  twice: ['{image} is asked for twice, and only one may run on a host', '要求了两个 {image}，而一台主机只能运行一个'],
  noLink: ['it has no container {name} to link to', '没有可链接的容器 {name}'],
  foreignLink: ["its container {name} is somebody else's and can't be linked to", '其容器 {name} 属于他人，不能链接'],
  triedBefore: ['failed there before: {reason}', '此前在该主机失败：{reason}'],
  portTaken: ['port {port} is taken', '端口 {port} 已被占用'],
  portTwice: ['port {port} is asked for twice', '端口 {port} 被要求了两次'],
  portsUsedUp: ['no {protocol} port from {m} to {n} is free', '{m} 到 {n} 之间没有空闲的 {protocol} 端口'],
  waitsApproval: ['it waits for approval', '等待批准'],
  notListed: ['its containers are not known yet', '尚不清楚其上的容器'],
  notReached: ['it was not reached yet', '尚未连接成功'],
  notReachedShort: ['not reached yet', '尚未连接成功'],
  bareDown: ['down: {reason}', '无响应：{reason}'],
  bareSuspect: ['suspect: {reason}', '可疑：{reason}'],
  thereAlready: ['it is there already', '已在该主机上'],
  // That no host suits.
  noHosts: ['there are no hosts yet', '还没有主机'],
  noRoom: ['no room', '没有空间'],
  noPlace: ['no place', '没有合适的主机'],
  onOnly: ['{what} on the only host, {nearest}', '唯一的主机上{what}：{nearest}'],
  onAsked: ['{what} on the host that is asked for, {nearest}', '所要求的主机上{what}：{nearest}'],
  onAny: [
    '{what} on any of {n} hosts: {phrases}; nearest is {nearest}',
    '{n} 台主机中{what}：{phrases}；最接近的是 {nearest}',
  ],
  nearLacks: ['{engine}, which lacks {lacking}', '{engine}，缺少 {lacking}'],
  unavailableOne: ['{n} is unavailable', '{n} 台不可用'],
  unavailable: ['{n} are unavailable', '{n} 台不可用'],
  notAskedOne: ['{n} is not the one asked for', '{n} 台不是所要求的'],
  notAsked: ['{n} are not the one asked for', '{n} 台不是所要求的'],
  lackLabelOne: ['{n} lacks a label', '{n} 台缺少标签'],
  lackLabel: ['{n} lack a label', '{n} 台缺少标签'],
  runAlreadyOne: ['{n} runs the image already', '{n} 台已运行该镜像'],
  runAlready: ['{n} run the image already', '{n} 台已运行该镜像'],
  lackLinkOne: ['{n} lacks a linked container', '{n} 台缺少所链接的容器'],
  lackLink: ['{n} lack a linked container', '{n} 台缺少所链接的容器'],
  failedBefore: ['{n} failed before', '{n} 台此前失败'],
  lackPortOne: ['{n} has no free port for it', '{n} 台没有可用端口'],
  lackPort: ['{n} have no free port for it', '{n} 台没有可用端口'],
  lackCpuOne: ['{n} lacks CPU', '{n} 台缺少 CPU'],
  lackCpu: ['{n} lack CPU', '{n} 台缺少 CPU'],
  lackMemoryOne: ['{n} lacks memory', '{n} 台缺少内存'],
  lackMemory: ['{n} lack memory', '{n} 台缺少内存'],
  // What is explained of an app.
  slotsRun: ['{m} of {n} slots run; {rest}', '{n} 个槽位中 {m} 个在运行；{rest}'],
  oneMore: ['one more would go to host {engine}', '再增加一个将放在主机 {engine} 上'],
  oneWriter: ['it must not run twice, so there is no second', '它不得运行两份，因此没有第二个'],
  roomAll: ['there is room for all {n}: {spread}', '{n} 个都有空间：{spread}'],
  roomSome: ['there is room for {m} of {n} only: {reason}', '仅有 {n} 个中 {m} 个的空间：{reason}'],
  spread: ['{n} on {engine}', '{engine} 上 {n} 个'],
  // What a slot waits for, or what became of it.
  waitsHost: ['waits for a host', '等待主机'],
  starts: ['starts on host {engine}', '正在主机 {engine} 上启动'],
  startsAgain: ['starts on host {engine} ({rest})', '正在主机 {engine} 上启动（{rest}）'],
  failedOn: ['failed on host {engine}: {reason}', '在主机 {engine} 上失败：{reason}'],
  runsAgain: ['runs again ({rest})', '已重新运行（{rest}）'],
  stopping: ['is being stopped on host {engine}', '正在主机 {engine} 上停止'],
  hostDown: ['host {engine} is down', '主机 {engine} 无响应'],
  hostGone: ['host {engine} is not in the pool any more', '主机 {engine} 已不在池中'],
  exited: ['exited with code {code}', '已退出，退出码 {code}'],
  removing: ['is being removed from host {engine}', '正在从主机 {engine} 移除'],
  exitedAgain: [
    'exited on host {engine} ({rest}) and is started again',
    '在主机 {engine} 上退出（{rest}），正在重新启动',
  ],
  paused: ['is paused on host {engine}', '在主机 {engine} 上已暂停'],
  formerServes: [
    '{rest}; its former container on host {engine} serves until then',
    '{rest}；在此之前由主机 {engine} 上的旧容器提供服务',
  ],
  stoppedSoon: ['is stopped as soon as host {engine} answers', '主机 {engine} 恢复响应后即停止'],
  waitsKnown: ['waits until it is known what runs on host {engine}', '等待查明主机 {engine} 上运行的内容'],
  waitsFirst: ['waits for the first answer of host {engine}', '等待主机 {engine} 的首次响应'],
  waitsSuspect: [
    'waits for host {engine}, which did not answer lately: {reason}',
    '等待近来没有响应的主机 {engine}：{reason}',
  ],
  goesElsewhere: [
    'host {engine} is down: {reason}; goes to another host in {time}',
    '主机 {engine} 无响应：{reason}；{time} 后转到其他主机',
  ],
  waitsTurn: ['waits for its turn to be replaced', '等待轮到它被替换'],
  removedOften: [
    'was removed from its host again and again; is made anew in {time}',
    '多次被从主机上移除；{time} 后重新创建',
  ],
  engineRestarts: ['exits and is restarted by its engine ({rest})', '不断退出，由引擎重新启动（{rest}）'],
  pausedOn: ['was paused on host {engine}; is restarted in {time}', '在主机 {engine} 上被暂停；{time} 后重新启动'],
  exitedRestart: ['exited ({rest}); is started again in {time}', '已退出（{rest}）；{time} 后重新启动'],
  keepsExiting: ['keeps exiting on host {engine} ({rest})', '在主机 {engine} 上不断退出（{rest}）'],
  exitKilled: [
    'exit code 137: killed, often because it used more memory than its limit',
    '退出码 137：被强制结束，通常是因为内存超出限制',
  ],
  exitCode: ['exit code {code}', '退出码 {code}'],
  exitUnknown: ['exit code unknown', '退出码未知'],
  failedTimes: ['failed {n} times in a row; is tried again in {time}', '连续失败 {n} 次；{time} 后重试'],
  triedAgain: ['{rest}; is tried again in {time}', '{rest}；{time} 后重试'],
  notTaken: ['host {engine} does not take it any more: {reason}', '主机 {engine} 不再接收它：{reason}'],
  untilKnown: ['{rest}; waits until host {engine} is known', '{rest}；等待查明主机 {engine} 的情况'],
  waitsFormer: ['waits for host {engine}, where its former containers are', '等待其旧容器所在的主机 {engine}'],
  frozenSlot: [
    "host {engine} is down, and is not replaced as {m} of {n} hosts vanished at once; waits until enough of them answer, or for 'pierhead cluster thaw'",
    '主机 {engine} 无响应；因 {n} 台主机中有 {m} 台同时失联，暂不替换，等待足够多的主机恢复响应，或执行 pierhead cluster thaw',
  ],
  frozen: [
    "{m} of {n} hosts vanished at once ({hosts}), so nothing is moved off them: maybe only this controller does not reach them. It ends by itself when enough of them answer, or with 'pierhead cluster thaw'",
    '{n} 台主机中有 {m} 台同时失联（{hosts}），因此暂不从它们迁出任何内容：也许只是本控制器连不上它们。足够多的主机恢复响应后会自动结束，或执行 pierhead cluster thaw',
  ],
  // Of apps that have one writer.
  mayRunThere: [
    'must not run twice, and may run on host {engine}; waits until that answers or is down',
    '不得运行两份，而它可能在主机 {engine} 上运行；等待该主机响应或确认失联',
  ],
  untilLease: [
    'must not run twice: host {engine} {how}, and its agent has surely stopped the former copy in {time}',
    '不得运行两份：主机 {engine} {how}，其代理必定会在 {time} 内停止旧的一份',
  ],
  howRemoved: ['was removed', '已被移除'],
  howDown: ['is down', '无响应'],
  howSilent: ['does not answer', '没有响应'],
  untilGone: [
    'must not run twice; waits until its former copy on host {engine} is gone',
    '不得运行两份；等待主机 {engine} 上旧的一份消失',
  ],
  untilStartKnown: [
    'must not run twice; waits until it is known what became of its start on host {engine}',
    '不得运行两份；等待查明它在主机 {engine} 上的启动结果',
  ],
  untilLeased: [
    'waits until the agent of host {engine} has the lease to run it',
    '等待主机 {engine} 的代理取得运行它的租约',
  ],
  // Failures of engines.
  engineUnreachable: ['the engine cannot be reached: {reason}', '无法连接引擎：{reason}'],
  engineLate: ["the engine did not answer '{call}' within {n} ms", '引擎在 {n} 毫秒内没有响应“{call}”'],
  engineNone: ['the engine has no such container', '引擎上没有该容器'],
  noImage: ['no such image: {reason}', '没有该镜像：{reason}'],
  noSpace: ['no space left on the host: {reason}', '主机磁盘空间不足：{reason}'],
  engineRefuses: ['the engine refuses: {reason}', '引擎拒绝：{reason}'],
  notStarted: ['the container did not start: {reason}', '容器未能启动：{reason}'],
  engineFailed: ['the engine failed: {reason}', '引擎出错：{reason}'],
  // Failures of the store.
  storeFull: [
    "the store has no room left; nothing was changed. Make room on the controller's disk, or compact and defragment etcd and disarm its alarm, and try again",
    '存储空间已满，未做任何更改。请清理控制器的磁盘，或对 etcd 执行压缩和碎片整理并解除其告警，然后重试',
  ],
  storeSilent: [
    "the controller's store does not answer: nothing can be changed until it does. Whether this was done is known by looking again then; what runs, runs on",
    '控制器的存储没有响应：在其恢复之前无法更改任何内容。此操作是否完成需届时再查看；正在运行的内容会继续运行',
  ],
  storeBroken: ["the controller's store does not work; see its log", '控制器的存储无法工作；请查看其日志'],
  changedMeanwhile: ['somebody changed the same thing meanwhile; try again', '其他人同时更改了同一内容，请重试'],
  // Why a host is not well.
  notCalled: ['its agent has not called', '其代理尚未连接'],
  shutOut: [
    "its agent's certificate was revoked or replaced; it has to join again",
    '其代理的证书已被吊销或更换，需要重新加入',
  ],
  expired: [
    "its agent's certificate has expired; it has to join again with a new token",
    '其代理的证书已过期，需要用新的令牌重新加入',
  ],
  tunnelEnded: [
    "its agent's tunnel has ended; others are asked whether the host lives",
    '其代理的隧道已断开；正在向其他主机询问它是否存活',
  ],
  notBeaten: [
    'its agent has not beaten{for}; others are asked whether the host lives',
    '没有收到其代理的心跳{for}；正在向其他主机询问它是否存活',
  ],
  agentAway: [
    'its agent has not run or could not call{for}; the host lives: its kernel answers {witnesses}, and its containers run on',
    '其代理没有运行或无法连接{for}；主机仍存活：其内核应答 {witnesses}，容器继续运行',
  ],
  agentSilent: [
    'its agent has not answered{for}; the host lives: its kernel answers {witnesses}, and its containers run on',
    '其代理没有响应{for}；主机仍存活：其内核应答 {witnesses}，容器继续运行',
  ],
  cut: [
    'the link between this controller and the host is cut{for}; the host lives: its kernel answers {witnesses}, and not this controller',
    '本控制器与该主机之间的连接已中断{for}；主机仍存活：其内核应答 {witnesses}，但不应答本控制器',
  ],
  offMany: [
    'the host is off or cut off: no sign of life{for}, and its kernel answers none of {witnesses}',
    '主机已关机或网络中断：没有任何迹象{for}，其内核对 {witnesses} 均无应答',
  ],
  offOne: [
    'the host is off or cut off: no sign of life{for}, and its kernel does not answer {witnesses}',
    '主机已关机或网络中断：没有任何迹象{for}，其内核不应答 {witnesses}',
  ],
  unknownEnded: [
    'its agent has had no tunnel{for}; nobody else can tell whether its kernel answers',
    '其代理没有隧道{for}；没有其他主机能确认其内核是否应答',
  ],
  unknownSilent: [
    'its agent has not beaten{for}; nobody else can tell whether its kernel answers',
    '没有收到其代理的心跳{for}；没有其他主机能确认其内核是否应答',
  ],
  engineStopped: [
    'its engine does not run{for}: {reason} (told by its agent, which runs)',
    '其引擎没有运行{for}：{reason}（由仍在运行的代理告知）',
  ],
  engineHangs: [
    'its engine hangs: no answer to its agent{for} (told by its agent, which runs)',
    '其引擎挂起：没有应答其代理{for}（由仍在运行的代理告知）',
  ],
  noAnswers: ['what is asked through its agent is not answered: {reason}', '经其代理发出的请求没有应答：{reason}'],
  approval: ['for approval, by: pierhead engine approve {engine}', '等待批准：pierhead engine approve {engine}'],
  thisController: ['this controller', '本控制器'],
  // What a host lacks.
  noMemoryLimit: [
    "The kernel limits no memory: one container can take all of the host's.",
    '内核不限制内存：一个容器可能占用主机的全部内存。',
  ],
  noSwapLimit: [
    'The kernel limits no swap: containers can use swap beyond their memory (boot with swapaccount=1).',
    '内核不限制交换空间：容器可在内存之外使用交换空间（启动时加 swapaccount=1）。',
  ],
  noCpuQuota: [
    'The kernel has no CPU quota: limits of CPU are refused, only the weight counts.',
    '内核不支持 CPU 配额：CPU 限制会被拒绝，只有权重有效。',
  ],
  noCpuSet: [
    'The kernel has no cpuset: containers that ask for cores fail here.',
    '内核不支持 cpuset：要求指定核心的容器在此会失败。',
  ],
  noPidsLimit: [
    'The kernel limits no number of processes: a fork bomb in a container stops the host.',
    '内核不限制进程数：容器中的 fork 炸弹会使主机停摆。',
  ],
  noForwarding: [
    'IPv4 forwarding is off: published ports and the bridge network do not work.',
    'IPv4 转发已关闭：发布的端口和桥接网络无法工作。',
  ],
  oldCgroups: [
    'Control groups are version 1: the kernel gives no figures of pressure, and new engines leave it behind.',
    '控制组为版本 1：内核不提供压力指标，新版引擎也将不再支持。',
  ],
  noSeccomp: [
    'Seccomp is off: containers can make every system call that the kernel offers.',
    'Seccomp 已关闭：容器可以使用内核提供的所有系统调用。',
  ],
  unconfined: [
    'Seccomp is unconfined by default: containers can make every system call that the kernel offers.',
    'Seccomp 默认不受限：容器可以使用内核提供的所有系统调用。',
  ],
  noLiveRestore: [
    'Live restore is off: a restart of the engine stops every container on it.',
    '未启用 live restore：引擎重启会停止其上的所有容器。',
  ],
  badDriver: [
    'The storage driver is one that Docker advises against: images are slow and large here.',
    '使用的存储驱动不被 Docker 推荐：镜像在此又慢又大。',
  ],
  noDiskQuota: [
    "Containers cannot be given a quota of disk (that needs xfs with pquota, btrfs or zfs): one can fill the host's.",
    '无法为容器设置磁盘配额（需要带 pquota 的 xfs、btrfs 或 zfs）：一个容器可能占满主机磁盘。',
  ],
  notLinux: [
    "The host is not Linux: Pierhead's limits and statistics are untested on it.",
    '主机不是 Linux：Pierhead 的限制和统计未在其上测试。',
  ],
  oldRunc: [
    'runc is {version}: versions before 1.2.8 have known ways out of a container, unless the distribution has closed them.',
    'runc 版本为 {version}：1.2.8 之前的版本存在已知的容器逃逸途径，除非发行版已修补。',
  ],
  oldApi: [
    'The engine speaks API {version} at most: Pierhead needs 1.41 (Docker 20.10) or newer.',
    '引擎最高支持 API {version}：Pierhead 需要 1.41（Docker 20.10）或更新版本。',
  ],
  diskFull: [
    'The disk of {dir} is nearly full ({n} MB are free): images cannot be pulled, and containers cannot write.',
    '{dir} 所在磁盘几乎已满（剩余 {n} MB）：无法拉取镜像，容器也无法写入。',
  ],
  // Where workspaces stand. Why one stops is a word of its own; the place in the queue stands behind what is waited for.
  wasStopped: ['it was stopped: {reason}', '已停止：{reason}'],
  isStopped: ['it is stopped: {reason}', '正在停止：{reason}'],
  bareStopAsked: ['somebody asked for it', '应要求'],
  bareStopEnded: ['it was ended', '已被结束'],
  bareStopExpired: ['its time was over', '时间已到'],
  bareStopIdle: ['nobody used it', '无人使用'],
  bareStopAnew: ['it begins anew', '重新开始'],
  bareStopDrained: ['its host is drained', '其主机正在腾空'],
  bareStopDisk: ['it used more of the disk than it may', '磁盘用量超出限制'],
  bareStopYielded: ['what somebody wants needed its room', '其空间需让给他人使用'],
  bareStopNoCpu: ['its host had no CPU left for it', '其主机已没有可用的 CPU'],
  bareStopGone: ['its host was removed from the pool', '其主机已移出池'],
  bareFirst: ['{rest}; it is the first in the queue', '{rest}；在队列中排第一'],
  bareSecond: ['{rest}; 1 is before it in the queue', '{rest}；前面还有 1 个'],
  bareBehind: ['{rest}; {n} are before it in the queue', '{rest}；前面还有 {n} 个'],
  bareRoom: ['waits for room', '等待空间'],
  makesRoom: [
    'waits until room is made on host {hosts}, where workspaces were started ahead',
    '等待主机 {hosts} 腾出预先启动的工作区所占的空间',
  ],
  bareStarts: ['{n} workspaces are being started', '正在启动 {n} 个工作区'],
  // Why nothing was done with a file of a workspace.
  fileGone: ['nothing is at {path}', '{path} 不存在'],
  fileForbidden: ["the container's user may not do that with {path}", '容器的用户无权对 {path} 执行此操作'],
  fileNoFolder: ['{path}, or something on the way to it, is no folder', '{path} 或其路径中的某一项不是文件夹'],
  fileFolder: ['{path} is a folder', '{path} 是文件夹'],
  fileThere: ['{path} is there already', '{path} 已存在'],
  fileNotEmpty: ['{path} is not empty', '{path} 不为空'],
  fileNoSpace: ['there is no room for {path} on the disk', '磁盘空间不足，无法写入 {path}'],
  fileReadOnly: ['{path} can only be read', '{path} 只能读取'],
  fileLinks: ['{path} leads over links without end', '{path} 的链接无限循环'],
  fileTooLong: ['{path} is too long', '{path} 过长'],
  fileElsewhere: [
    '{path} cannot be moved as it is, since it comes from the image or lies on another disk: copy it',
    '{path} 来自镜像或位于其他磁盘，不能直接移动：请复制',
  ],
  fileInUse: ['{path} is in use', '{path} 正在使用'],
  fileNotOrdinary: ['{path} is no ordinary file or folder', '{path} 不是普通的文件或文件夹'],
  fileTooDeep: ['too many folders lie within one another in {path}', '{path} 中的文件夹嵌套过深'],
  fileItself: ['{path} cannot be moved into itself', '{path} 不能移动到自身之内'],
  fileBusy: [
    'too many files are on their way; try again when some have arrived',
    '正在传输的文件过多；请在部分完成后重试',
  ],
  standsStill: ['it stands still until whoever leads the class lets it go on', '已暂停，等待负责全班的人让它继续'],
  filePaused: ['the container is paused', '容器已暂停'],
  workChecks: ['Checks', '检查'],
  workQuizzes: ['Questions', '问答'],
  workNotBegun: [
    'you have not begun this lab yet: there is nothing to hand in',
    '您还没有开始这个实验，没有可提交的内容',
  ],
  workLate: ['it was due, and what is late is not taken in this course', '已过截止时间，本课程不接受迟交'],
  workNotFailed: ['only a submission that failed can be tried again', '只有失败的提交可以重试'],
  workNotSaved: ['nothing of this submission was saved', '这次提交没有保存任何内容'],
  nothingRuns: ['nothing of it runs any more', '已全部停止'],
  saveLimit: ['{what}: {reason}; delete saves that are not needed any more', '{what}：{reason}；请删除不再需要的存档'],
  savesOf: ['the saves of {who}', '{who} 的存档'],
  savesOfEnvironment: ['the saves of the environment {name}', '环境 {name} 的存档'],
  savesMany: ['at most {n} saves may be kept, and there would be {m}', '最多保留 {n} 个存档，现在将有 {m} 个'],
  savesLarge: ['saves may hold at most {n} MB, and would hold {m} MB', '存档最多占用 {n} MB，现在将占用 {m} MB'],
  workNotStudent: ['only those who take a course hand in work', '只有课程的学生可以提交'],
  workNoWorkspace: ['there was no workspace to save', '没有可保存的工作区'],
  workNothingSaved: ['nothing of the workspace was saved, and it does not run', '工作区没有任何存档，也没有在运行'],
  workEarlier: [
    'the workspace stopped before it could be saved: this is what had been saved last',
    '工作区在保存之前已停止：这是最近一次保存的内容',
  ],
  workUnchecked: [
    'its checks could not be run on a copy: what they had come to before counts',
    '无法在副本上运行检查：以之前的检查结果为准',
  ],
  workNoCopy: ['its checks could not be run on a copy', '无法在副本上运行检查'],
  workGone: ['its workspace was gone before it could be saved', '工作区在保存之前已不存在'],
  workStopped: ['its workspace stopped before it could be saved', '工作区在保存之前已停止'],
  workUnsaved: ['it could not be saved', '无法保存'],
  workUndescribed: [
    'nobody knows any more how its workspace was described: its checks were not run on a copy',
    '已无法得知其工作区的描述：没有在副本上运行检查',
  ],
  notDescribed: ['the engine does not describe the container', '引擎没有给出该容器的信息'],
  diskUncounted: [
    "how much it has written to its host's disk could not be counted {n} times in a row, so it counts as too much: its containers are stopped, and it is saved",
    '连续 {n} 次无法统计它在主机磁盘上写入的数据量，因此视为超量：其容器已停止，正在保存',
  ],
  diskOver: [
    "it has written {n} MB to its host's disk, and may write {m} MB: its containers are stopped, and it is saved",
    '它已在主机磁盘上写入 {n} MB，而上限为 {m} MB：其容器已停止，正在保存',
  ],
  diskNear: [
    "it has written {n} MB to its host's disk; beyond {m} MB it is saved and stopped, or can't write more",
    '它已在主机磁盘上写入 {n} MB；超过 {m} MB 时将保存并停止，或无法再写入',
  ],
  diskTooMany: [
    "it has made more than {n} files and folders on its host's disk, which is as many as it may: its containers are stopped, and it is saved",
    '它已在主机磁盘上创建超过 {n} 个文件和目录，已达上限：其容器已停止，正在保存',
  ],
  diskMany: [
    "it has made {n} files and folders on its host's disk; beyond {m} it is saved and stopped",
    '它已在主机磁盘上创建 {n} 个文件和目录；超过 {m} 个时将保存并停止',
  ],
  // What a save is worth.
  saveAlone: [
    'no second host has it yet: if its host is lost, so is this save',
    '尚无第二台主机保存副本：若其主机丢失，此存档也会丢失',
  ],
  saveNowhereElse: [
    'neither the registry nor a second host has it yet: if its host is lost, so is this save',
    '镜像仓库和第二台主机都尚无副本：若其主机丢失，此存档也会丢失',
  ],
  // Why a recording was deleted.
  recordingOver: ['its time was over', '保存期已到'],
  recordingWithdrawn: ['consent was withdrawn', '同意已撤回'],
  recordingOfNoCourse: ['its course was deleted', '课程已删除'],
  recordingDeletedBy: ['deleted by {name}', '由 {name} 删除'],
});
