// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* One job at a time: who comes meanwhile does its own, so nobody waits for others. */
#include <pthread.h>
#include <stddef.h>

#include "ahead.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t begin = PTHREAD_COND_INITIALIZER;
static pthread_cond_t end = PTHREAD_COND_INITIALIZER;
static struct ahead_job *current;
static bool serves, over;

void ahead_serve(void)
{
	pthread_mutex_lock(&lock);
	serves = true;
	while (!over) {
		if (!current) {
			pthread_cond_wait(&begin, &lock);
			continue;
		}
		pthread_mutex_unlock(&lock);
		current->run(current);
		pthread_mutex_lock(&lock);
		current->pending = false;
		current = NULL;
		pthread_cond_broadcast(&end);
	}
	serves = false;
	pthread_mutex_unlock(&lock);
}

void ahead_over(void)
{
	pthread_mutex_lock(&lock);
	over = true;
	pthread_cond_signal(&begin);
	pthread_mutex_unlock(&lock);
}

bool ahead_begin(struct ahead_job *job)
{
	bool begins;

	pthread_mutex_lock(&lock);
	begins = serves && !over && !current;
	if (begins) {
		job->pending = true;
		current = job;
		pthread_cond_signal(&begin);
	}
	pthread_mutex_unlock(&lock);
	return begins;
}

void ahead_wait(struct ahead_job *job)
{
	pthread_mutex_lock(&lock);
	while (job->pending)
		pthread_cond_wait(&end, &lock);
	pthread_mutex_unlock(&lock);
}
