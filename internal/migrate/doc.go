// Package migrate turns a GitLab Runner configuration for docker+machine with
// docker-machine's azure driver into one for docker-autoscaler with this plugin.
//
// It is text in, text out: it calls neither Azure nor the terminal, and reads no
// file. What it knows of docker-machine is from drivers/azure/azure.go of
// docker/machine 0.16.2, whose options GitLab's fork has unchanged, of
// rancher/machine, which adds some, and of docker/machine before 0.7, which had
// others; what it knows of the runner is from common/config.go and
// executors/docker/machine of GitLab Runner 19.
package migrate
